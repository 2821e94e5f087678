// Poisoned built-in: RegExp.prototype.exec never ends.
// expect: n | timeout | refused timeout
RegExp.prototype.exec = function () { for (;;) {} };
function decodeUplink(input) {
  return {data: {n: input.bytes[0]}};
}
