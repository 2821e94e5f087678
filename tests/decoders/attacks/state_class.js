// State: a static member of a class.
// expect: {"seen":"nothing"}
class Box {}
function decodeUplink(input) {
  var seen = Box.leak;
  if (seen === undefined) seen = 'nothing';
  try { Box.leak = input.devEUI; } catch (error) { seen += ''; }
  return {data: {seen: seen}};
}
