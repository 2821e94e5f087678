// Poisoned built-in: JSON.parse forges what the engine reads.
// expect: n
JSON.parse = function () { return {forged: true}; };
function decodeUplink(input) {
  return {data: {n: input.bytes[0]}};
}
