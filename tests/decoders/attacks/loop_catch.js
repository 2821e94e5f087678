// Time: a loop that catches everything, the interrupt too if it could.
// expect: timeout
function decodeUplink(input) {
  for (;;) { try { for (;;) {} } catch (error) { continue; } }
  return {data: {n: input.bytes[0]}};
}
