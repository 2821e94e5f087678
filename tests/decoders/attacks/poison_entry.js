// The entry point replaces itself while it runs: the next uplink must not see it.
// expect: n
function decodeUplink(input) {
  globalThis.decodeUplink = function () { return {data: {forged: true}}; };
  return {data: {n: input.bytes[0]}};
}
