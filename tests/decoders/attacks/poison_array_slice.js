// Poisoned built-in: Array.prototype.slice.
// expect: n
Array.prototype.slice = function () { throw new Error('no'); };
function decodeUplink(input) {
  return {data: {n: input.bytes[0]}};
}
