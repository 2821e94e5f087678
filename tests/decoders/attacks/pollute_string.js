// State: left in String.prototype, for every other script's objects to have.
// expect: {"seen":"nothing"}
function decodeUplink(input) {
  var seen = String.prototype.leak;
  if (seen === undefined) seen = 'nothing';
  try { String.prototype.leak = input.devEUI; } catch (error) { seen += ''; }
  return {data: {seen: seen}};
}
