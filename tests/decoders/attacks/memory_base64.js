// Memory: our own base64 of a long text.
// expect: exception | memory | timeout | worker_died | parked
function decodeUplink(input) {
  btoa('x'.repeat(5e8));
  return {data: {n: input.bytes[0]}};
}
