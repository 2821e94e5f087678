// Time: a global replacement, quadratic and more in the text.
// expect: timeout
function decodeUplink(input) {
  for (;;) 'a'.repeat(50000).replace(/a*a*a*b/g, '');
  return {data: {n: input.bytes[0]}};
}
