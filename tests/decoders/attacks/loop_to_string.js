// Time: toString of what is thrown.
// expect: timeout
function decodeUplink(input) {
  throw {toString: function () { for (;;) {} }};
}
