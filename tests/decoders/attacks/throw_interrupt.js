// Errors: what looks like the engine's own interrupt is thrown.
// expect: exception
function decodeUplink(input) {
  throw new Error('script execution terminated: timeout');
}
