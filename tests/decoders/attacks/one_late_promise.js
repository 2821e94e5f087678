// One uplink in a thousand goes on after it has returned.
// expect: n ; timeout ; n
function decodeUplink(input) {
  if (input.fCnt === 1) (function again() { Promise.resolve().then(again); })();
  return {data: {n: input.bytes[0]}};
}
