// Escape: a comment that swallows what the engine puts after the script.
// expect: n
function decodeUplink(input) {
  return {data: {n: input.bytes[0]}};
}
<!-- the rest of this line is no code