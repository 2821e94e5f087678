// Poisoned built-in: every object has a toJSON that never ends.
// expect: timeout | refused timeout
Object.prototype.toJSON = function () { for (;;) {} };
function decodeUplink(input) {
  return {data: {n: input.bytes[0]}};
}
