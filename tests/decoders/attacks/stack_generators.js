// Stack: generators that delegate to each other.
// expect: exception | timeout
function decodeUplink(input) {
  function* again() { yield* again(); }
  again().next();
  return {data: {n: input.bytes[0]}};
}
