// Poisoned built-in: methods of texts.
// expect: n
['slice', 'replace', 'indexOf', 'charCodeAt', 'substr', 'split', 'toWellFormed'].forEach(function (name) {
  String.prototype[name] = function () { return 'forged'; };
});
function decodeUplink(input) {
  return {data: {n: input.bytes[0]}};
}
