// Time in native code: a long text searched for a long text that is not there.
// expect: timeout | memory | exception | worker_died | parked
function decodeUplink(input) {
  for (;;) 'a'.repeat(2e7).lastIndexOf('b' + 'a'.repeat(10000));
  return {data: {n: input.bytes[0]}};
}
