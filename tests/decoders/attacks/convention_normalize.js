// A normalizeUplink that never ends, after a decode that did.
// expect: timeout
function normalizeUplink() { for (;;) {} }
function decodeUplink(input) {
  return {data: {n: input.bytes[0]}};
}
