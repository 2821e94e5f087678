// Time: a proxy as the result whose `has` never ends.
// expect: timeout
function decodeUplink(input) {
  return new Proxy({}, {has: function () { for (;;) {} }});
}
