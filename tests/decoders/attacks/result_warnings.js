// Output: a million warnings of a kilobyte.
// expect: value | timeout | memory
function decodeUplink(input) {
  return {data: {n: 1}, warnings: new Array(1000000).fill('x'.repeat(1000))};
}
