// Time in native code: a list with four thousand million holes joined.
// expect: timeout | memory | exception | worker_died | parked
function decodeUplink(input) {
  var list = [];
  list.length = 4294967295;
  list.join(',');
  return {data: {n: input.bytes[0]}};
}
