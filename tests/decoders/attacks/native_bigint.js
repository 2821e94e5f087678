// Time in native code: powers of a long integer.
// expect: timeout | exception | memory | worker_died | parked
function decodeUplink(input) {
  for (var a = 3n; ; ) a = a ** 3n;
  return {data: {n: input.bytes[0]}};
}
