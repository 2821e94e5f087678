// Errors: undefined is thrown.
// expect: exception
function decodeUplink(input) {
  throw undefined;
}
