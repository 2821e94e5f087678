// State: left in the prototype of async generators.
// expect: {"seen":"nothing"}
function decodeUplink(input) {
  var seen = Object.getPrototypeOf(eval('(async function* () {})')).prototype.leak;
  if (seen === undefined) seen = 'nothing';
  try { Object.getPrototypeOf(eval('(async function* () {})')).prototype.leak = input.devEUI; } catch (error) { seen += ''; }
  return {data: {seen: seen}};
}
