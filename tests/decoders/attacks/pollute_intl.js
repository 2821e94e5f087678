// State: left in Intl.
// expect: {"seen":"nothing"}
function decodeUplink(input) {
  var seen = Intl.leak;
  if (seen === undefined) seen = 'nothing';
  try { Intl.leak = input.devEUI; } catch (error) { seen += ''; }
  return {data: {seen: seen}};
}
