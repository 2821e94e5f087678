// A migrateState that never ends; there is no state, so it is not called.
// expect: n
var stateVersion = 1;
function migrateState() { for (;;) {} }
function decodeUplink(input) {
  return {data: {n: input.bytes[0]}};
}
