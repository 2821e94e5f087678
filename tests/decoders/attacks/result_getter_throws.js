// Output: a getter that throws.
// expect: bad_result
function decodeUplink(input) {
  return {data: {get n() { throw new Error('no'); }}};
}
