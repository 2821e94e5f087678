// Errors: a text with halves of characters is thrown.
// expect: exception
function decodeUplink(input) {
  throw '\ud800 and \udc00';
}
