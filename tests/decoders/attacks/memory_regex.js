// Memory: expressions that are compiled and kept.
// expect: memory | timeout | exception
function decodeUplink(input) {
  for (var kept = [], i = 0; ; i++) { kept.push(new RegExp('(a' + i + '){1000}')); kept[i].test('a'); }
  return {data: {n: input.bytes[0]}};
}
