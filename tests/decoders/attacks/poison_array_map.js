// Poisoned built-in: Array.prototype.map.
// expect: n
Array.prototype.map = function () { return ['forged']; };
function decodeUplink(input) {
  return {data: {n: input.bytes[0]}};
}
