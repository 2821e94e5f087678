// State: input.state of a script that has not asked for one.
// expect: {"seen":"nothing"}
function decodeUplink(input) {
  var seen = (input.state === undefined ? undefined : String(input.state));
  if (seen === undefined) seen = 'nothing';
  try { input.state = input.devEUI; } catch (error) { seen += ''; }
  return {data: {seen: seen}};
}
