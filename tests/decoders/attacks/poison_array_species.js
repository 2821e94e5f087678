// Poisoned built-in: the kind of list that map and slice make.
// expect: n | timeout | refused timeout
Object.defineProperty(Array, Symbol.species, {get: function () { for (;;) {} }});
function decodeUplink(input) {
  return {data: {n: input.bytes[0]}};
}
