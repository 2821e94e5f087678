// Memory: a map that grows.
// expect: memory | timeout | worker_died | parked
function decodeUplink(input) {
  for (var map = new Map(), i = 0; ; i++) map.set(i, {});
  return {data: {n: input.bytes[0]}};
}
