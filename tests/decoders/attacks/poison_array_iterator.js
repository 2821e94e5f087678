// Poisoned built-in: the iterator of lists never ends.
// expect: n | timeout | refused timeout
Array.prototype[Symbol.iterator] = function () { return {next: function () { return {done: false}; }}; };
function decodeUplink(input) {
  return {data: {n: input.bytes[0]}};
}
