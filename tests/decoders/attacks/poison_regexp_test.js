// Poisoned built-in: RegExp.prototype.test says yes.
// expect: n
RegExp.prototype.test = function () { return true; };
function decodeUplink(input) {
  return {data: {n: input.bytes[0]}};
}
