// State: left in console.
// expect: {"seen":"nothing"}
function decodeUplink(input) {
  var seen = console.leak;
  if (seen === undefined) seen = 'nothing';
  try { console.leak = input.devEUI; } catch (error) { seen += ''; }
  return {data: {seen: seen}};
}
