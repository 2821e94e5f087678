// Errors: an error with a stack of 10 MB is thrown.
// expect: exception
function decodeUplink(input) {
  var error = new Error('x');
  error.stack = 'at x (decoder.js:1:1)\n'.repeat(500000);
  throw error;
}
