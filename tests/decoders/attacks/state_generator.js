// State: a generator that is kept and goes on.
// expect: {"seen":"nothing"}
var steps = (function* () { for (var got; ; ) got = yield got; })();
function decodeUplink(input) {
  var seen = steps.next(input.devEUI).value;
  if (seen === undefined) seen = 'nothing';
  try {  } catch (error) { seen += ''; }
  return {data: {seen: seen}};
}
