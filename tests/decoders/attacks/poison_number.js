// Poisoned built-in: Number and its tests.
// expect: n
Number.isInteger = function () { return true; };
Number = function () { return 1e99; };
function decodeUplink(input) {
  return {data: {n: input.bytes[0]}};
}
