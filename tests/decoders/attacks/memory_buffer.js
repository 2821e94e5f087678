// Memory: our own Buffer, as large as it gets.
// expect: exception | memory | timeout | worker_died | parked
function decodeUplink(input) {
  for (var kept = []; ; ) kept.push(Buffer.alloc(5e8, 1));
  return {data: {n: input.bytes[0]}};
}
