// Errors: an object without a prototype is thrown.
// expect: exception
function decodeUplink(input) {
  throw Object.create(null);
}
