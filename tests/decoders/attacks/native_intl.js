// Time and memory in native code: formats without end.
// expect: timeout | memory | exception
function decodeUplink(input) {
  for (var i = 0; ; i++) new Intl.NumberFormat('en', {minimumFractionDigits: i % 10}).format(i);
  return {data: {n: input.bytes[0]}};
}
