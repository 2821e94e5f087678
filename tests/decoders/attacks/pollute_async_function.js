// State: left in the prototype of async functions, which no global name leads to.
// expect: {"seen":"nothing"}
function decodeUplink(input) {
  var seen = Object.getPrototypeOf(eval('(async function () {})')).leak;
  if (seen === undefined) seen = 'nothing';
  try { Object.getPrototypeOf(eval('(async function () {})')).leak = input.devEUI; } catch (error) { seen += ''; }
  return {data: {seen: seen}};
}
