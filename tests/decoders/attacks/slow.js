// Time: every uplink takes nearly all it may have.
// expect: n
function decodeUplink(input) {
  for (var end = 0, i = 0; i < 1000000; i++) end += i % 7;
  return {data: {n: input.bytes[0]}};
}
