// Output: line ends and zeros in names and texts.
// expect: {"a\nb":"\u0000\u2028"}
function decodeUplink(input) {
  return {data: {'a\nb': '\u0000\u2028'}};
}
