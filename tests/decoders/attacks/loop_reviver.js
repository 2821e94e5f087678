// Time: a function that JSON.parse calls.
// expect: timeout
function decodeUplink(input) {
  JSON.parse('[1]', function () { for (;;) {} });
  return {data: {n: input.bytes[0]}};
}
