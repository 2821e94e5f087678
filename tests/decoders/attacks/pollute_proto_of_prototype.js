// State: a prototype given to Object.prototype.
// expect: {"seen":"nothing"}
function decodeUplink(input) {
  var seen = ({}).leak;
  if (seen === undefined) seen = 'nothing';
  try { Object.setPrototypeOf(Object.prototype, {leak: input.devEUI}); } catch (error) { seen += ''; }
  return {data: {seen: seen}};
}
