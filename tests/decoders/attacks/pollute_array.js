// State: left in Array.prototype, for every other script's objects to have.
// expect: {"seen":"nothing"}
function decodeUplink(input) {
  var seen = Array.prototype.leak;
  if (seen === undefined) seen = 'nothing';
  try { Array.prototype.leak = input.devEUI; } catch (error) { seen += ''; }
  return {data: {seen: seen}};
}
