// State: a prototype under another name.
// expect: {"seen":"nothing"}
function decodeUplink(input) {
  var seen = [].leak;
  if (seen === undefined) seen = 'nothing';
  try { var prototype = Object.getPrototypeOf(input.bytes); prototype.leak = input.devEUI; } catch (error) { seen += ''; }
  return {data: {seen: seen}};
}
