// State: left in Function.prototype, for every other script's objects to have.
// expect: {"seen":"nothing"}
function decodeUplink(input) {
  var seen = Function.prototype.leak;
  if (seen === undefined) seen = 'nothing';
  try { Function.prototype.leak = input.devEUI; } catch (error) { seen += ''; }
  return {data: {seen: seen}};
}
