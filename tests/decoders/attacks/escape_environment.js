// Escape: the server's environment and arguments.
// expect: {"found":"undefined undefined undefined"}
function decodeUplink(input) {
  return {data: {found: typeof process + ' ' + typeof __dirname + ' ' + typeof arguments[1]}};
}
