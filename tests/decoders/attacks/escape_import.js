// Escape: dynamic import, hidden from the syntax check.
// expect: n
function decodeUplink(input) {
  eval("import('fs').then(function (fs) { globalThis.fs = fs; })");
  return {data: {n: input.bytes[0]}};
}
