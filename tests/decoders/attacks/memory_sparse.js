// Memory: a list with holes that is made dense.
// expect: memory | timeout | exception | worker_died | parked
function decodeUplink(input) {
  var list = [];
  list[50000000] = 1;
  list.fill(0);
  return {data: {n: input.bytes[0]}};
}
