// Time: an iterator that never says done.
// expect: timeout
function decodeUplink(input) {
  var endless = {};
  endless[Symbol.iterator] = function () { return {next: function () { return {done: false}; }}; };
  for (var item of endless) { if (item) break; }
  return {data: {n: input.bytes[0]}};
}
