// A device's state of 10 MB, asked for as a script may.
// expect: bad_result | exception
var stateVersion = 1;
function decodeUplink(input) {
  input.state.text = 'x'.repeat(1e7);
  return {data: {n: input.bytes[0]}};
}
