// Output: a date that does not exist.
// expect: value | bad_result
function decodeUplink(input) {
  return {data: {n: new Date(NaN)}};
}
