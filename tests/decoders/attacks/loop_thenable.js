// Time: a thenable that calls itself when it is resolved.
// expect: timeout
function decodeUplink(input) {
  var thenable = {then: function (resolve) { resolve(thenable); }};
  Promise.resolve(thenable);
  return {data: {n: input.bytes[0]}};
}
