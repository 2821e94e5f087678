// Memory: an object with ever more keys.
// expect: memory | timeout | worker_died | parked
function decodeUplink(input) {
  for (var object = {}, i = 0; ; i++) object['key' + i] = i;
  return {data: {n: input.bytes[0]}};
}
