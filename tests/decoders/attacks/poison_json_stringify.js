// Poisoned built-in: JSON.stringify forges the answer.
// expect: n
JSON.stringify = function () { return '{"forged": true}'; };
function decodeUplink(input) {
  return {data: {n: input.bytes[0]}};
}
