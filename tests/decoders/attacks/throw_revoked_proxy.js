// Errors: a proxy that has been revoked is thrown.
// expect: exception
function decodeUplink(input) {
  var pair = Proxy.revocable({}, {});
  pair.revoke();
  throw pair.proxy;
}
