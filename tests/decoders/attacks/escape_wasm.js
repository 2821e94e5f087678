// Escape: code of a machine, through the compiler of WebAssembly.
// expect: exception
function decodeUplink(input) {
  new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]));
  return {data: {n: input.bytes[0]}};
}
