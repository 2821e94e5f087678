// State: a default parameter that is kept.
// expect: {"seen":"nothing"}
var remember = (function (list) { return function () { return list; }; })([]);
function decodeUplink(input) {
  var seen = remember()[0];
  if (seen === undefined) seen = 'nothing';
  try { remember().push(input.devEUI); } catch (error) { seen += ''; }
  return {data: {seen: seen}};
}
