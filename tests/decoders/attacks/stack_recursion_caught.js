// Stack and time: every overflow is caught and tried again, exponentially.
// expect: timeout | exception
function decodeUplink(input) {
  (function again() { try { again(); } finally { again(); } })();
  return {data: {n: input.bytes[0]}};
}
