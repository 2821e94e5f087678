// Poisoned built-in: Date.
// expect: n
Date = function () { for (;;) {} };
function decodeUplink(input) {
  return {data: {n: input.bytes[0]}};
}
