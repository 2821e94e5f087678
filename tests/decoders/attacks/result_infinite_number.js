// Output: numbers that JSON or a store cannot hold.
// expect: {"a":null,"b":null,"c":1.7976931348623157e+308,"d":5e-324,"e":0}
function decodeUplink(input) {
  return {data: {a: 1 / 0, b: 0 / 0, c: Number.MAX_VALUE, d: Number.MIN_VALUE, e: -0}};
}
