// Output: a small graph that is exponential as a tree.
// expect: too_large | timeout | memory | bad_result | worker_died | parked
function decodeUplink(input) {
  var data = ['x'];
  for (var i = 0; i < 40; i++) data = [data, data];
  return {data: data};
}
