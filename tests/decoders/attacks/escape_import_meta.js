// Escape: import.meta.
// expect: exception
function decodeUplink(input) {
  eval('import.meta.url');
  return {data: {n: input.bytes[0]}};
}
