// Time: a loop that never ends.
// expect: timeout
function decodeUplink(input) {
  while (true) {}
  return {data: {n: input.bytes[0]}};
}
