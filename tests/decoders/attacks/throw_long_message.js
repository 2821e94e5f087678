// Errors: an error with a message of 10 MB is thrown.
// expect: exception
function decodeUplink(input) {
  throw new Error('x'.repeat(1e7));
}
