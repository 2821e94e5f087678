// State: left in Map.prototype, for every other script's objects to have.
// expect: {"seen":"nothing"}
function decodeUplink(input) {
  var seen = Map.prototype.leak;
  if (seen === undefined) seen = 'nothing';
  try { Map.prototype.leak = input.devEUI; } catch (error) { seen += ''; }
  return {data: {seen: seen}};
}
