// State: a global made by code that a constructor's constructor makes.
// expect: {"seen":"nothing"}
function decodeUplink(input) {
  var seen = [].constructor.constructor('return this.leak')();
  if (seen === undefined) seen = 'nothing';
  try { [].constructor.constructor('value', 'this.leak = value')(input.devEUI); } catch (error) { seen += ''; }
  return {data: {seen: seen}};
}
