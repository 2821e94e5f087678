// Output: a hundred thousand fields.
// expect: too_large | timeout
function decodeUplink(input) {
  var data = {};
  for (var i = 0; i < 100000; i++) data['field' + i] = i;
  return {data: data};
}
