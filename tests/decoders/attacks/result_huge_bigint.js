// Output: an integer of a hundred thousand digits.
// expect: too_large | timeout
function decodeUplink(input) {
  return {data: {n: 10n ** 100000n}};
}
