// Poisoned built-in: every object has errors.
// expect: script_error | n
Object.prototype.errors = ['forged'];
function decodeUplink(input) {
  return {data: {n: input.bytes[0]}};
}
