// State: a variable of the top level.
// expect: {"seen":"nothing"}
var leak;
function decodeUplink(input) {
  var seen = leak;
  if (seen === undefined) seen = 'nothing';
  try { leak = input.devEUI; } catch (error) { seen += ''; }
  return {data: {seen: seen}};
}
