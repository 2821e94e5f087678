// Time: nested quantifiers, exponential in the text.
// expect: timeout
function decodeUplink(input) {
  /^(a+)+$/.test('a'.repeat(50) + '!');
  return {data: {n: input.bytes[0]}};
}
