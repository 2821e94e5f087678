// Poisoned built-in: all globals that can be deleted are.
// expect: n | refused exception
Object.getOwnPropertyNames(globalThis).forEach(function (name) { delete globalThis[name]; });
function decodeUplink(input) {
  return {data: {n: input.bytes[0]}};
}
