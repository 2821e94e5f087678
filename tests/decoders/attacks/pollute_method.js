// State: left in a method of a built-in.
// expect: {"seen":"nothing"}
function decodeUplink(input) {
  var seen = Array.prototype.push.leak;
  if (seen === undefined) seen = 'nothing';
  try { Array.prototype.push.leak = input.devEUI; } catch (error) { seen += ''; }
  return {data: {seen: seen}};
}
