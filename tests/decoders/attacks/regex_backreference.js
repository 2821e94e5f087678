// Time: a back reference under two quantifiers.
// expect: timeout
function decodeUplink(input) {
  /^(.*)*(.*)*\1\2z$/.test('ab'.repeat(5000));
  return {data: {n: input.bytes[0]}};
}
