// State: a property of the decoder itself.
// expect: {"seen":"nothing"}
function decodeUplink(input) {
  var seen = decodeUplink.leak;
  if (seen === undefined) seen = 'nothing';
  try { decodeUplink.leak = input.devEUI; } catch (error) { seen += ''; }
  return {data: {seen: seen}};
}
