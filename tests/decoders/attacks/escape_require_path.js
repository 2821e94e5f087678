// Escape: require with a value that is text only at the second look.
// expect: exception
function decodeUplink(input) {
  var looks = 0;
  require({toString: function () { return looks++ ? 'fs' : 'buffer'; }});
  return {data: {n: input.bytes[0]}};
}
