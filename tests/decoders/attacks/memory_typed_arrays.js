// Memory outside of V8's heap: typed arrays that are written to.
// expect: exception | memory | timeout | worker_died | parked
function decodeUplink(input) {
  for (var kept = []; ; ) kept.push(new Uint8Array(1e7).fill(1));
  return {data: {n: input.bytes[0]}};
}
