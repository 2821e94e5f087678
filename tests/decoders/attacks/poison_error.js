// Poisoned built-in: Error.
// expect: n
Error = TypeError = RangeError = function () { for (;;) {} };
function decodeUplink(input) {
  return {data: {n: input.bytes[0]}};
}
