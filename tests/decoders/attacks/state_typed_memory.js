// State: octets of a typed array that a variable keeps.
// expect: {"seen":"nothing"}
var memory = new Uint8Array(1);
function decodeUplink(input) {
  var seen = (memory[0] || undefined);
  if (seen === undefined) seen = 'nothing';
  try { memory[0] = input.bytes[0]; } catch (error) { seen += ''; }
  return {data: {seen: seen}};
}
