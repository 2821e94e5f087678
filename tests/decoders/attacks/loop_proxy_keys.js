// Time: a proxy in the result whose keys never end.
// expect: timeout
function decodeUplink(input) {
  return {data: new Proxy({}, {ownKeys: function () { for (;;) {} }})};
}
