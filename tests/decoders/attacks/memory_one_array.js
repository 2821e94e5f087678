// Memory: one allocation that no check comes before.
// expect: memory | timeout | exception | worker_died | parked
function decodeUplink(input) {
  new Array(Math.pow(2, 27)).fill(1.5);
  return {data: {n: input.bytes[0]}};
}
