// Input: another prototype for it.
// expect: n
function decodeUplink(input) {
  Object.setPrototypeOf(input, null);
  Object.setPrototypeOf(input.bytes, Function.prototype);
  return {data: {n: input.bytes[0]}};
}
