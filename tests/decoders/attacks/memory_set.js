// Memory: a set of texts that grows.
// expect: memory | timeout | worker_died | parked
function decodeUplink(input) {
  for (var set = new Set(), i = 0; ; i++) set.add('entry ' + i);
  return {data: {n: input.bytes[0]}};
}
