// Output: nesting a hundred thousand levels deep.
// expect: bad_result | too_large | exception
function decodeUplink(input) {
  var data = {};
  for (var i = 0; i < 100000; i++) data = {d: data};
  return {data: data};
}
