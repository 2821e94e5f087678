// Time: labels that continue each other.
// expect: timeout
function decodeUplink(input) {
  outer: for (;;) { for (;;) { continue outer; } }
  return {data: {n: input.bytes[0]}};
}
