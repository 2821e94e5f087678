// Poisoned built-in: Object.defineProperty does nothing.
// expect: n
Object.defineProperty = Reflect.defineProperty = function (target) { return target; };
function decodeUplink(input) {
  return {data: {n: input.bytes[0]}};
}
