// State: left in the prototype of Intl's segments.
// expect: {"seen":"nothing"}
function decodeUplink(input) {
  var seen = Object.getPrototypeOf(new Intl.Segmenter().segment('a')).leak;
  if (seen === undefined) seen = 'nothing';
  try { var segments = Object.getPrototypeOf(new Intl.Segmenter().segment('a')); segments.leak = input.devEUI; } catch (error) { seen += ''; }
  return {data: {seen: seen}};
}
