// Time: a proxy as the result whose `get` never ends.
// expect: timeout
function decodeUplink(input) {
  return new Proxy({}, {get: function () { for (;;) {} }});
}
