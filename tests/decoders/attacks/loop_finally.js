// Time: a loop in `finally`, which an interrupt has to leave as well.
// expect: timeout
function decodeUplink(input) {
  try { for (;;) {} } finally { for (;;) {} }
  return {data: {n: input.bytes[0]}};
}
