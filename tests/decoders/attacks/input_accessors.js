// Input: its keys replaced by getters that never end.
// expect: timeout
function decodeUplink(input) {
  Object.defineProperty(input, 'bytes', {get: function () { for (;;) {} }});
  return {data: {n: input.bytes[0]}};
}
