// Time and memory: console lines without end.
// expect: timeout | memory
function decodeUplink(input) {
  for (;;) console.log('x'.repeat(1000000));
  return {data: {n: input.bytes[0]}};
}
