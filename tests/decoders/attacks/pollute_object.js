// State: left in Object.prototype, for every other script's objects to have.
// expect: {"seen":"nothing"}
function decodeUplink(input) {
  var seen = Object.prototype.leak;
  if (seen === undefined) seen = 'nothing';
  try { Object.prototype.leak = input.devEUI; } catch (error) { seen += ''; }
  return {data: {seen: seen}};
}
