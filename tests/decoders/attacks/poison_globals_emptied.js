// Poisoned built-in: all globals that can be written are undefined.
// expect: n | refused exception
Object.getOwnPropertyNames(globalThis).forEach(function (name) {
  try { if (name !== 'decodeUplink') globalThis[name] = undefined; } catch (error) { }
});
function decodeUplink(input) {
  return {data: {n: input.bytes[0]}};
}
