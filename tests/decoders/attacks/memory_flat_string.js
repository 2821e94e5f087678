// Memory: long texts, each made flat.
// expect: memory | timeout | exception | worker_died | parked
function decodeUplink(input) {
  for (var kept = []; ; ) kept.push(JSON.parse(JSON.stringify('x'.repeat(1e7) + kept.length)));
  return {data: {n: input.bytes[0]}};
}
