// Output: a hundred errors of 10 MB.
// expect: script_error | timeout | memory
function decodeUplink(input) {
  return {errors: new Array(100).fill('x'.repeat(1e7))};
}
