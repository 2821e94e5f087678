// Memory: a little more kept by every uplink, where nothing is to be kept.
// expect: n
function decodeUplink(input) {
  globalThis.kept = globalThis.kept || [];
  globalThis.kept.push(new Array(1000).fill('x'));
  return {data: {n: input.bytes[0]}};
}
