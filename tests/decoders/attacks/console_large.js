// Console: a line of 10 MB.
// expect: n
function decodeUplink(input) {
  console.log('x'.repeat(1e7));
  return {data: {n: input.bytes[0]}};
}
