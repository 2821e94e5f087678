// Output: nesting a hundred levels deep, of which eight are kept.
// expect: value
function decodeUplink(input) {
  var data = {n: 1};
  for (var i = 0; i < 100; i++) data = {data: data, n: i};
  return {data: data};
}
