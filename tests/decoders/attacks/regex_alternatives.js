// Time: alternatives that match the same, exponential in the text.
// expect: timeout
function decodeUplink(input) {
  /^(a|a|aa)+$/.test('a'.repeat(60) + '!');
  return {data: {n: input.bytes[0]}};
}
