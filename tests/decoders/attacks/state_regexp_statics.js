// State: what RegExp remembers of the last match.
// expect: {"seen":"nothing"}
function decodeUplink(input) {
  var seen = (RegExp.$1 || RegExp.input || undefined);
  if (seen === undefined) seen = 'nothing';
  try { /(.*)/.exec(input.devEUI); } catch (error) { seen += ''; }
  return {data: {seen: seen}};
}
