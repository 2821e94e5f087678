// State: left in RegExp.prototype, for every other script's objects to have.
// expect: {"seen":"nothing"}
function decodeUplink(input) {
  var seen = RegExp.prototype.leak;
  if (seen === undefined) seen = 'nothing';
  try { RegExp.prototype.leak = input.devEUI; } catch (error) { seen += ''; }
  return {data: {seen: seen}};
}
