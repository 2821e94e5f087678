// State: a list of the top level.
// expect: {"seen":"nothing"}
var leak = [];
function decodeUplink(input) {
  var seen = leak[0];
  if (seen === undefined) seen = 'nothing';
  try { leak.push(input.devEUI); } catch (error) { seen += ''; }
  return {data: {seen: seen}};
}
