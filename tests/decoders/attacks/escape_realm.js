// Escape: another realm.
// expect: exception
function decodeUplink(input) {
  new ShadowRealm().evaluate('1');
  return {data: {n: input.bytes[0]}};
}
