// State: a weak map under a built-in as its key.
// expect: {"seen":"nothing"}
var notes = new WeakMap();
function decodeUplink(input) {
  var seen = notes.get(Math);
  if (seen === undefined) seen = 'nothing';
  try { notes.set(Math, input.devEUI); } catch (error) { seen += ''; }
  return {data: {seen: seen}};
}
