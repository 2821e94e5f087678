// Output: JSON.rawJSON, text that is taken over as it is.
// expect: value | bad_result | exception
function decodeUplink(input) {
  return {data: {n: JSON.rawJSON('1e999')}};
}
