// Poisoned built-in: Array.prototype.join.
// expect: n
Array.prototype.join = function () { return 'forged'; };
function decodeUplink(input) {
  return {data: {n: input.bytes[0]}};
}
