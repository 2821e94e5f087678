// Output: halves of characters, which no UTF-8 text can have.
// expect: {"n":"\ufffd","\ufffd":1}
function decodeUplink(input) {
  return {data: {n: '\ud800', '\udc00': 1}};
}
