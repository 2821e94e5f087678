// Time: toString of the message of what is thrown.
// expect: timeout
function decodeUplink(input) {
  throw {message: {toString: function () { for (;;) {} }}};
}
