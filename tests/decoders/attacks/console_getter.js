// Console: a value of which every look throws.
// expect: n
function decodeUplink(input) {
  console.log(new Proxy({}, {get: function () { throw new Error('no'); }}));
  return {data: {n: input.bytes[0]}};
}
