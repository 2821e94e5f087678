// Memory outside of V8's heap: buffers that are only reserved.
// expect: exception | memory | timeout | worker_died | parked
function decodeUplink(input) {
  for (var kept = []; ; ) kept.push(new ArrayBuffer(1e8));
  return {data: {n: input.bytes[0]}};
}
