// Poisoned built-in: Array.prototype.push, with which the engine collects octets.
// expect: {"n":7} | n
var stolen = [];
Array.prototype.push = function (value) { stolen[stolen.length] = this; this[this.length] = 7; return 1; };
function decodeUplink(input) {
  return {data: {n: input.bytes[0]}};
}
