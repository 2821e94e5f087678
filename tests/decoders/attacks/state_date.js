// State: left in the date that the input has.
// expect: {"seen":"nothing"}
function decodeUplink(input) {
  var seen = input.recvTime.leak;
  if (seen === undefined) seen = 'nothing';
  try { input.recvTime.leak = input.devEUI; input.recvTime.setTime(0); } catch (error) { seen += ''; }
  return {data: {seen: seen}};
}
