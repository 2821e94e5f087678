// State: a variable that only a closure has.
// expect: {"seen":"nothing"}
var box = (function () {
  var kept;
  return {get: function () { return kept; }, set: function (value) { kept = value; }};
})();
function decodeUplink(input) {
  var seen = box.get();
  if (seen === undefined) seen = 'nothing';
  try { box.set(input.devEUI); } catch (error) { seen += ''; }
  return {data: {seen: seen}};
}
