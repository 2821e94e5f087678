// State: left in Error.prototype, for every other script's objects to have.
// expect: {"seen":"nothing"}
function decodeUplink(input) {
  var seen = Error.prototype.leak;
  if (seen === undefined) seen = 'nothing';
  try { Error.prototype.leak = input.devEUI; } catch (error) { seen += ''; }
  return {data: {seen: seen}};
}
