// Poisoned built-in: Math's functions.
// expect: value | bad_result | exception
Object.getOwnPropertyNames(Math).forEach(function (name) {
  if (typeof Math[name] === 'function') Math[name] = function () { return NaN; };
});
function decodeUplink(input) {
  return {data: {n: input.bytes[0]}};
}
