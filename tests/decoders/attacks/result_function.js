// Output: a function with a toJSON of its own.
// expect: value | bad_result
function decodeUplink(input) {
  var data = function () {};
  data.toJSON = function () { return {n: 1}; };
  return {data: data};
}
