// Console: replaced by something that never ends.
// expect: n
console = {log: function () { for (;;) {} }};
console.warn = console.error = console.log;
function decodeUplink(input) {
  return {data: {n: input.bytes[0]}};
}
