// State: left in Symbol.
// expect: {"seen":"nothing"}
function decodeUplink(input) {
  var seen = Symbol.leak;
  if (seen === undefined) seen = 'nothing';
  try { Symbol.leak = input.devEUI; } catch (error) { seen += ''; }
  return {data: {seen: seen}};
}
