// Escape: a script that closes a function which it has not opened.
// expect: refused syntax
}); (function () {
function decodeUplink(input) {
  return {data: {n: input.bytes[0]}};
}
