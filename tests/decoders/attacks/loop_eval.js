// Time: code made while it runs.
// expect: timeout
function decodeUplink(input) {
  for (;;) eval('1 + 1');
  return {data: {n: input.bytes[0]}};
}
