// Poisoned built-in: Function.prototype.call and apply.
// expect: n
Function.prototype.call = Function.prototype.apply = function () { for (;;) {} };
function decodeUplink(input) {
  return {data: {n: input.bytes[0]}};
}
