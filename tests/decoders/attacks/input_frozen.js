// Input: everything about it frozen.
// expect: n
function decodeUplink(input) {
  Object.freeze(input);
  Object.freeze(input.bytes);
  Object.freeze(input.variables);
  Object.freeze(Object.getPrototypeOf(input));
  return {data: {n: input.bytes[0]}};
}
