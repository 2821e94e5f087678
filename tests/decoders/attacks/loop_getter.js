// Time: a getter in the result.
// expect: timeout
function decodeUplink(input) {
  return {data: {get n() { for (;;) {} }}};
}
