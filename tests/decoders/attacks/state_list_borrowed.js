// State: a list of the top level, changed by a borrowed method.
// expect: {"seen":"nothing"}
var leak = [];
function decodeUplink(input) {
  var seen = leak[0];
  if (seen === undefined) seen = 'nothing';
  try { Reflect.apply(Array.prototype.push, leak, [input.devEUI]); } catch (error) { seen += ''; }
  return {data: {seen: seen}};
}
