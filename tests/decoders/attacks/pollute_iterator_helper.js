// State: left in the prototype of iterator helpers.
// expect: {"seen":"nothing"}
function decodeUplink(input) {
  var seen = Object.getPrototypeOf([].values().map(String)).leak;
  if (seen === undefined) seen = 'nothing';
  try { var helper = Object.getPrototypeOf([].values().map(String)); helper.leak = input.devEUI; } catch (error) { seen += ''; }
  return {data: {seen: seen}};
}
