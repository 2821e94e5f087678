// Output: an object that contains itself.
// expect: bad_result
function decodeUplink(input) {
  var data = {};
  data.data = data;
  return {data: data};
}
