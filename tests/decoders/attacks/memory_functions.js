// Memory: code that is compiled and kept.
// expect: memory | timeout
function decodeUplink(input) {
  for (var kept = [], i = 0; ; i++) kept.push(new Function('return ' + i));
  return {data: {n: input.bytes[0]}};
}
