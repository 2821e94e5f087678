// Output: a text of 10 MB.
// expect: too_large
function decodeUplink(input) {
  return {data: {text: 'x'.repeat(1e7)}};
}
