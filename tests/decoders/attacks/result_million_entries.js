// Output: a million measurements.
// expect: too_large | timeout | memory
function decodeUplink(input) {
  return {data: new Array(1000000).fill(0).map(function (_, i) { return {i: i}; })};
}
