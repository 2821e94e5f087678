// Poisoned built-in: every object has data.
// expect: value | bad_result | exception
Object.defineProperty(Object.prototype, 'data', {get: function () { return {forged: true}; }, set: function () {}, configurable: true});
function decodeUplink(input) {
  return {data: {n: input.bytes[0]}};
}
