// Poisoned built-in: Array.isArray says yes to everything.
// expect: n
Array.isArray = function () { return true; };
function decodeUplink(input) {
  return {data: {n: input.bytes[0]}};
}
