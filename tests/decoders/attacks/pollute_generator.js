// State: left in the prototype of generators.
// expect: {"seen":"nothing"}
var prototype = Object.getPrototypeOf((function* () {})());
function decodeUplink(input) {
  var seen = prototype.leak;
  if (seen === undefined) seen = 'nothing';
  try { prototype.leak = input.devEUI; } catch (error) { seen += ''; }
  return {data: {seen: seen}};
}
