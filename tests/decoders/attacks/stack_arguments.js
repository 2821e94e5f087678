// Stack: a call with millions of arguments.
// expect: exception | memory | timeout
function decodeUplink(input) {
  Math.max.apply(null, new Array(20000000));
  return {data: {n: input.bytes[0]}};
}
