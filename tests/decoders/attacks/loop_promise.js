// Time: promises that go on after the decoder has returned.
// expect: timeout
function decodeUplink(input) {
  (function again() { Promise.resolve().then(again); })();
  return {data: {n: input.bytes[0]}};
}
