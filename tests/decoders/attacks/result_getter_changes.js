// Output: a getter that answers differently each time it is asked.
// expect: value | bad_result
function decodeUplink(input) {
  var asked = 0;
  return {get data() { return asked++ % 2 ? undefined : {n: asked}; }};
}
