// One uplink in a thousand never ends.
// expect: n ; timeout ; n
function decodeUplink(input) {
  while (input.fCnt === 1) {}
  return {data: {n: input.bytes[0]}};
}
