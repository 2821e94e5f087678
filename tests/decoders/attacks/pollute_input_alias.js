// State: left in the prototype of the input, as one of its keys.
// expect: {"seen":"nothing"}
function decodeUplink(input) {
  var seen = input.joinEUI;
  if (seen === undefined) seen = 'nothing';
  try { Object.defineProperty(Object.getPrototypeOf(input), 'joinEUI', {value: input.devEUI}); } catch (error) { seen += ''; }
  return {data: {seen: seen}};
}
