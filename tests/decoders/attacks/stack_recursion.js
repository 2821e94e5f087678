// Stack: a function that calls itself.
// expect: exception
function decodeUplink(input) {
  (function again() { again(); })();
  return {data: {n: input.bytes[0]}};
}
