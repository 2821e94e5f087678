// Time in native code that cannot be interrupted: Unicode normalisation of a long text.
// expect: timeout | memory | exception | worker_died | parked
function decodeUplink(input) {
  '\u1E9B\u0323'.repeat(5e7).normalize('NFKC');
  return {data: {n: input.bytes[0]}};
}
