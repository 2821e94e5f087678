// State: an undeclared variable.
// expect: {"seen":"nothing"}
function decodeUplink(input) {
  var seen = typeof leak === 'undefined' ? undefined : leak;
  if (seen === undefined) seen = 'nothing';
  try { leak = input.devEUI; } catch (error) { seen += ''; }
  return {data: {seen: seen}};
}
