// Memory outside of V8's heap: a buffer that grows.
// expect: exception | memory | timeout | worker_died | parked
function decodeUplink(input) {
  var buffer = new ArrayBuffer(1, {maxByteLength: 2e9});
  for (var size = 1; ; size *= 2) { buffer.resize(size); new Uint8Array(buffer).fill(1); }
  return {data: {n: input.bytes[0]}};
}
