// Memory: a text that doubles.
// expect: exception | memory | timeout
function decodeUplink(input) {
  for (var text = 'x'; ; ) text += text;
  return {data: {n: input.bytes[0]}};
}
