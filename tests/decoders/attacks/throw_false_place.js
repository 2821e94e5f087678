// Errors: an error that says it comes from line -1 of another file is thrown.
// expect: exception
function decodeUplink(input) {
  var error = new Error('x');
  error.stack = 'Error: x\n at decoder.js:-1:99999999999999999999';
  throw error;
}
