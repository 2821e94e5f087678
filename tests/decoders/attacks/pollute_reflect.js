// State: left in Reflect.
// expect: {"seen":"nothing"}
function decodeUplink(input) {
  var seen = Reflect.leak;
  if (seen === undefined) seen = 'nothing';
  try { Reflect.leak = input.devEUI; } catch (error) { seen += ''; }
  return {data: {seen: seen}};
}
