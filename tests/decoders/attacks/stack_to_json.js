// Stack: toJSON that calls JSON.stringify.
// expect: bad_result | exception
function decodeUplink(input) {
  var data = {toJSON: function () { return JSON.stringify(data); }};
  return {data: data};
}
