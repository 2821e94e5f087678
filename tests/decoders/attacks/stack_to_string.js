// Stack: texts that are made of themselves.
// expect: exception
function decodeUplink(input) {
  var object = {toString: function () { return '' + object; }};
  '' + object;
  return {data: {n: input.bytes[0]}};
}
