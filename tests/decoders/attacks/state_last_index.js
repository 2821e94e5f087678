// State: the place where a global expression goes on.
// expect: {"seen":"nothing"}
var at = /a/g;
function decodeUplink(input) {
  var seen = (at.lastIndex || undefined);
  if (seen === undefined) seen = 'nothing';
  try { at.exec('aaa'); } catch (error) { seen += ''; }
  return {data: {seen: seen}};
}
