// Time in native code: long lists sorted again and again.
// expect: timeout | memory | worker_died | parked
function decodeUplink(input) {
  for (;;) new Array(1000000).fill(0).map(Math.sin).sort();
  return {data: {n: input.bytes[0]}};
}
