// Time: toJSON of a value in the result.
// expect: timeout
function decodeUplink(input) {
  return {data: {n: {toJSON: function () { for (;;) {} }}}};
}
