// Time: a replacement function that never ends.
// expect: timeout
function decodeUplink(input) {
  'a'.replace(/a/, function () { for (;;) {} });
  return {data: {n: input.bytes[0]}};
}
