// State: left in the prototype of the input.
// expect: {"seen":"nothing"}
function decodeUplink(input) {
  var seen = input.leak;
  if (seen === undefined) seen = 'nothing';
  try { Object.getPrototypeOf(input).leak = input.devEUI; } catch (error) { seen += ''; }
  return {data: {seen: seen}};
}
