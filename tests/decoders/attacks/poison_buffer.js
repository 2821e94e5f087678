// Poisoned built-in: our own Buffer and console.
// expect: n
Buffer.from = console.log = function () { for (;;) {} };
function decodeUplink(input) {
  return {data: {n: input.bytes[0]}};
}
