// The worker's life: every uplink ends it.
// expect: memory | worker_died | timeout | parked
function decodeUplink(input) {
  for (;;) JSON.stringify('x'.repeat(5e8));
  return {data: {n: input.bytes[0]}};
}
