// One uplink in a thousand ends its worker.
// expect: n ; memory | worker_died | timeout ; n
function decodeUplink(input) {
  while (input.fCnt === 1) JSON.stringify('x'.repeat(5e8));
  return {data: {n: input.bytes[0]}};
}
