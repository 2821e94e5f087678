// Poisoned built-in: Object.freeze does nothing, so that nothing could be locked.
// expect: n
Object.freeze = function (target) { return target; };
var prototype = Array.prototype;
function decodeUplink(input) {
  return {data: {n: input.bytes[0]}};
}
