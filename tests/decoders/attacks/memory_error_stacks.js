// Memory: errors with their stacks.
// expect: memory | timeout | worker_died | parked
function decodeUplink(input) {
  for (var kept = []; ; ) kept.push(new Error('x'.repeat(1000) + kept.length));
  return {data: {n: input.bytes[0]}};
}
