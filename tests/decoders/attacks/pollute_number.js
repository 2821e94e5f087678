// State: left in Number.prototype, for every other script's objects to have.
// expect: {"seen":"nothing"}
function decodeUplink(input) {
  var seen = Number.prototype.leak;
  if (seen === undefined) seen = 'nothing';
  try { Number.prototype.leak = input.devEUI; } catch (error) { seen += ''; }
  return {data: {seen: seen}};
}
