// Poisoned built-in: what replacing does.
// expect: n
RegExp.prototype[Symbol.replace] = function () { return '],['; };
function decodeUplink(input) {
  return {data: {n: input.bytes[0]}};
}
