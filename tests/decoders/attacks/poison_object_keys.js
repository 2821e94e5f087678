// Poisoned built-in: Object.keys throws.
// expect: n
Object.keys = function () { throw new Error('no'); };
function decodeUplink(input) {
  return {data: {n: input.bytes[0]}};
}
