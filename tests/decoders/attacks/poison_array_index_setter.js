// Poisoned built-in: a setter for the first entry of every list.
// expect: value | bad_result | exception | refused exception
Object.defineProperty(Array.prototype, '0', {set: function () { throw new Error('no'); }, get: function () { return 7; }});
function decodeUplink(input) {
  return {data: {n: input.bytes[0]}};
}
