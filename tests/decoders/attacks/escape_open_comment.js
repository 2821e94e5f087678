// Escape: a comment that is not closed.
// expect: refused syntax
function decodeUplink(input) {
  return {data: {n: input.bytes[0]}};
}
/*