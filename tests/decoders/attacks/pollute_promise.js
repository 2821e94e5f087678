// State: left in Promise.prototype, for every other script's objects to have.
// expect: {"seen":"nothing"}
function decodeUplink(input) {
  var seen = Promise.prototype.leak;
  if (seen === undefined) seen = 'nothing';
  try { Promise.prototype.leak = input.devEUI; } catch (error) { seen += ''; }
  return {data: {seen: seen}};
}
