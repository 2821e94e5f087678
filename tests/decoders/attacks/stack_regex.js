// Stack of the parser: groups a hundred thousand deep.
// expect: exception
function decodeUplink(input) {
  new RegExp('('.repeat(100000) + ')'.repeat(100000)).test('a');
  return {data: {n: input.bytes[0]}};
}
