// Errors: null is thrown.
// expect: exception
function decodeUplink(input) {
  throw null;
}
