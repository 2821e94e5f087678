// State: left in `this`, which is the global object.
// expect: {"seen":"nothing"}
function decodeUplink(input) {
  var seen = this.leak;
  if (seen === undefined) seen = 'nothing';
  try { this.leak = input.devEUI; } catch (error) { seen += ''; }
  return {data: {seen: seen}};
}
