// One uplink in a thousand throws.
// expect: n ; exception ; n
function decodeUplink(input) {
  if (input.fCnt === 1) throw new Error('no');
  return {data: {n: input.bytes[0]}};
}
