// State: left in Date.prototype, for every other script's objects to have.
// expect: {"seen":"nothing"}
function decodeUplink(input) {
  var seen = Date.prototype.leak;
  if (seen === undefined) seen = 'nothing';
  try { Date.prototype.leak = input.devEUI; } catch (error) { seen += ''; }
  return {data: {seen: seen}};
}
