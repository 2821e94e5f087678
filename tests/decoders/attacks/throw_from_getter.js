// Errors: a getter throws itself.
// expect: bad_result
function decodeUplink(input) {
  var data = {get n() { throw data; }, toString: null};
  return {data: data};
}
