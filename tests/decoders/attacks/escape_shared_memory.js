// Escape: waiting, as only shared memory can.
// expect: exception
function decodeUplink(input) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  return {data: {n: input.bytes[0]}};
}
