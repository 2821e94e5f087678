// Entry points of every convention at once, of which only one may be called.
// expect: n
function Decode() { for (;;) {} }
function Decoder() { for (;;) {} }
function decoder() { for (;;) {} }
function decodeUplink(input) {
  return {data: {n: input.bytes[0]}};
}
