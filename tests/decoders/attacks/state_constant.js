// State: an object in a constant.
// expect: {"seen":"nothing"}
const leak = {};
function decodeUplink(input) {
  var seen = leak.of;
  if (seen === undefined) seen = 'nothing';
  try { leak['of'] = input.devEUI; } catch (error) { seen += ''; }
  return {data: {seen: seen}};
}
