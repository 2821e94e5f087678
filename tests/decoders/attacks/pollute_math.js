// State: left in Math.
// expect: {"seen":"nothing"}
function decodeUplink(input) {
  var seen = Math.leak;
  if (seen === undefined) seen = 'nothing';
  try { Math.leak = input.devEUI; } catch (error) { seen += ''; }
  return {data: {seen: seen}};
}
