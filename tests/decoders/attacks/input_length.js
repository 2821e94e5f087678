// Input: the list of octets made four thousand million long.
// expect: n
function decodeUplink(input) {
  var first = input.bytes[0];
  input.bytes.length = 4294967295;
  return {data: {n: first}};
}
