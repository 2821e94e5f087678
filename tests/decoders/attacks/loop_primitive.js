// Time: Symbol.toPrimitive of a warning.
// expect: timeout
function decodeUplink(input) {
  var warning = {toJSON: function () { return undefined; }};
  warning[Symbol.toPrimitive] = function () { for (;;) {} };
  return {data: {}, warnings: [warning]};
}
