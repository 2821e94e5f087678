// State: left in Buffer, which is ours.
// expect: {"seen":"nothing"}
function decodeUplink(input) {
  var seen = Buffer.leak || Buffer.prototype.leak;
  if (seen === undefined) seen = 'nothing';
  try { Buffer.leak = input.devEUI; Buffer.prototype.leak = input.devEUI; } catch (error) { seen += ''; }
  return {data: {seen: seen}};
}
