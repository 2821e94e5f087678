// One uplink in a thousand gives 10 MB.
// expect: n ; too_large ; n
function decodeUplink(input) {
  return {data: {n: input.fCnt === 1 ? 'x'.repeat(1e7) : input.bytes[0]}};
}
