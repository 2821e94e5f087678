// State: left in a prototype that is found through `constructor`.
// expect: {"seen":"nothing"}
function decodeUplink(input) {
  var seen = ({}).leak;
  if (seen === undefined) seen = 'nothing';
  try { ({}).constructor.prototype.leak = input.devEUI; } catch (error) { seen += ''; }
  return {data: {seen: seen}};
}
