// Escape: V8's own functions.
// expect: exception
function decodeUplink(input) {
  eval('%GetOptimizationStatus(decodeUplink)');
  return {data: {n: input.bytes[0]}};
}
