// State: RegExp.input, which a setter takes.
// expect: {"seen":"nothing"}
function decodeUplink(input) {
  var seen = (RegExp.input || undefined);
  if (seen === undefined) seen = 'nothing';
  try { RegExp.input = input.devEUI; } catch (error) { seen += ''; }
  return {data: {seen: seen}};
}
