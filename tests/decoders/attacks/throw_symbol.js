// Errors: a symbol is thrown.
// expect: exception
function decodeUplink(input) {
  throw Symbol('x');
}
