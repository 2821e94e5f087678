// State: left in the device's variables.
// expect: {"seen":"nothing"}
function decodeUplink(input) {
  var seen = input.variables.leak;
  if (seen === undefined) seen = 'nothing';
  try { input.variables.leak = input.devEUI; } catch (error) { seen += ''; }
  return {data: {seen: seen}};
}
