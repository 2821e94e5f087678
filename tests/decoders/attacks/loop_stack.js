// Time: a getter as the stack of what is thrown.
// expect: timeout
function decodeUplink(input) {
  var error = new Error('x');
  Object.defineProperty(error, 'stack', {get: function () { for (;;) {} }});
  throw error;
}
