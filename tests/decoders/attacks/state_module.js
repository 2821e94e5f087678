// State: left in module.exports.
// expect: {"seen":"nothing"}
function decodeUplink(input) {
  var seen = module.exports.leak;
  if (seen === undefined) seen = 'nothing';
  try { module.exports.leak = input.devEUI; } catch (error) { seen += ''; }
  return {data: {seen: seen}};
}
