// Output: a key of 10 MB.
// expect: too_large
function decodeUplink(input) {
  var data = {};
  data['x'.repeat(1e7)] = 1;
  return {data: data};
}
