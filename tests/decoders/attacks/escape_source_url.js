// Escape: another file's name for errors.
// expect: exception
//# sourceURL=prelude.js
function decodeUplink(input) {
  throw new Error('x');
}
