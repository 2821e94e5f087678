// Escape: top-level functions of a script with the names of the engine's.
// expect: n
function runBatch() { return 'forged'; }
function row() { return 'forged'; }
function toJson() { return 'forged'; }
var current = {}, memory = [], at = 0, logLines = [], functions = {};
function decodeUplink(input) {
  return {data: {n: input.bytes[0]}};
}
