// Poisoned built-in: Promise.prototype.then.
// expect: n
Promise.prototype.then = function () { for (;;) {} };
function decodeUplink(input) {
  return {data: {n: input.bytes[0]}};
}
