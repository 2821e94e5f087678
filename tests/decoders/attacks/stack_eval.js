// Stack of the parser: brackets a hundred thousand deep.
// expect: exception
function decodeUplink(input) {
  eval('('.repeat(100000) + ')'.repeat(100000));
  return {data: {n: input.bytes[0]}};
}
