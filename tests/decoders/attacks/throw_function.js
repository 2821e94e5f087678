// Errors: a function is thrown.
// expect: exception
function decodeUplink(input) {
  throw function () {};
}
