// Stack: a chain of bound functions.
// expect: exception | timeout | {"n":1}
function decodeUplink(input) {
  var bound = function () { return 1; };
  for (var i = 0; i < 200000; i++) bound = bound.bind(null);
  return {data: {n: bound()}};
}
