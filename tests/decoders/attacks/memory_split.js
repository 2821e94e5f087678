// Memory: a long text split into its letters.
// expect: memory | timeout | exception | worker_died | parked
function decodeUplink(input) {
  'x'.repeat(5e8).split('');
  return {data: {n: input.bytes[0]}};
}
