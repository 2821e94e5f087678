// State: left in JSON.
// expect: {"seen":"nothing"}
function decodeUplink(input) {
  var seen = JSON.leak;
  if (seen === undefined) seen = 'nothing';
  try { JSON.leak = input.devEUI; } catch (error) { seen += ''; }
  return {data: {seen: seen}};
}
