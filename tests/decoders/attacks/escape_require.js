// Escape: modules of the host.
// expect: exception
function decodeUplink(input) {
  require('fs').readFileSync('/etc/passwd');
  return {data: {n: input.bytes[0]}};
}
