// Poisoned built-in: Reflect.
// expect: n
Reflect.ownKeys = Reflect.deleteProperty = Reflect.construct = function () { throw new Error('no'); };
function decodeUplink(input) {
  return {data: {n: input.bytes[0]}};
}
