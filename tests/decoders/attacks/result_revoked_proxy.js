// Output: a proxy that has been revoked.
// expect: bad_result
function decodeUplink(input) {
  var pair = Proxy.revocable({}, {});
  pair.revoke();
  return {data: pair.proxy};
}
