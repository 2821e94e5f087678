// Time: valueOf in arithmetic.
// expect: timeout
function decodeUplink(input) {
  return {data: {n: +{valueOf: function () { for (;;) {} }}}};
}
