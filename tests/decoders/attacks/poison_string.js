// Poisoned built-in: String itself.
// expect: n
String = function () { for (;;) {} };
function decodeUplink(input) {
  return {data: {n: input.bytes[0]}};
}
