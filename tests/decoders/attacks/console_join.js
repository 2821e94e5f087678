// Console: a list whose join never ends.
// expect: n | timeout
function decodeUplink(input) {
  var list = ['x'];
  list.join = list.toString = function () { for (;;) {} };
  console.log(list);
  return {data: {n: input.bytes[0]}};
}
