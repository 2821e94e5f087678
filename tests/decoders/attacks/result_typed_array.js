// Output: ten million octets.
// expect: too_large | timeout | memory | exception | worker_died | parked
function decodeUplink(input) {
  return {data: {n: new Uint8Array(1e7)}};
}
