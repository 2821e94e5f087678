// State: left in Uint8Array.prototype, for every other script's objects to have.
// expect: {"seen":"nothing"}
function decodeUplink(input) {
  var seen = Uint8Array.prototype.leak;
  if (seen === undefined) seen = 'nothing';
  try { Uint8Array.prototype.leak = input.devEUI; } catch (error) { seen += ''; }
  return {data: {seen: seen}};
}
