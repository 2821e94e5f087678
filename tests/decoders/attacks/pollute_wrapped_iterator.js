// State: left in the prototype of wrapped iterators.
// expect: {"seen":"nothing"}
function decodeUplink(input) {
  var seen = Object.getPrototypeOf(Iterator.from({next: String})).leak;
  if (seen === undefined) seen = 'nothing';
  try { var wrap = Object.getPrototypeOf(Iterator.from({next: String})); wrap.leak = input.devEUI; } catch (error) { seen += ''; }
  return {data: {seen: seen}};
}
