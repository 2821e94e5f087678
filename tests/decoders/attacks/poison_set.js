// Poisoned built-in: Set and WeakSet.
// expect: n | refused timeout
Set.prototype.has = WeakSet.prototype.has = function () { return true; };
Set.prototype.add = WeakSet.prototype.add = function () { for (;;) {} };
function decodeUplink(input) {
  return {data: {n: input.bytes[0]}};
}
