// State: left in a prototype that is found through `__proto__`.
// expect: {"seen":"nothing"}
function decodeUplink(input) {
  var seen = ({}).leak;
  if (seen === undefined) seen = 'nothing';
  try { ({}).__proto__.leak = input.devEUI; } catch (error) { seen += ''; }
  return {data: {seen: seen}};
}
