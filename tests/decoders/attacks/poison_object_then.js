// Poisoned built-in: every object is a promise.
// expect: bad_result | n
Object.prototype.then = function () {};
function decodeUplink(input) {
  return {data: {n: input.bytes[0]}};
}
