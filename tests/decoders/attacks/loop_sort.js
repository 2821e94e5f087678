// Time: a comparison that never ends.
// expect: timeout
function decodeUplink(input) {
  [2, 1].sort(function () { for (;;) {} });
  return {data: {n: input.bytes[0]}};
}
