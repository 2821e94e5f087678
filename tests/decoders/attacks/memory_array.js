// Memory: a list that grows.
// expect: memory | timeout | worker_died | parked
function decodeUplink(input) {
  for (var list = []; ; ) list.push({x: [1, 2, 3]});
  return {data: {n: input.bytes[0]}};
}
