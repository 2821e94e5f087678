// State: left in the getter of a built-in.
// expect: {"seen":"nothing"}
function decodeUplink(input) {
  var seen = Object.getOwnPropertyDescriptor(Map.prototype, 'size').get.leak;
  if (seen === undefined) seen = 'nothing';
  try { var size = Object.getOwnPropertyDescriptor(Map.prototype, 'size').get; size.leak = input.devEUI; } catch (error) { seen += ''; }
  return {data: {seen: seen}};
}
