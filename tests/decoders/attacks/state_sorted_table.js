// State: a table of the top level that a method puts in another order.
// expect: {"seen":"nothing"}
var table = [3, 2, 1];
function decodeUplink(input) {
  var seen = (table[0] === 3 ? undefined : table[0]);
  if (seen === undefined) seen = 'nothing';
  try { table.sort(); } catch (error) { seen += ''; }
  return {data: {seen: seen}};
}
