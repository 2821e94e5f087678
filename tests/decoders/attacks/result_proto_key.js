// Output: a field called __proto__.
// expect: {"__proto__":{"polluted":1},"n":1}
function decodeUplink(input) {
  return {data: JSON.parse('{"__proto__": {"polluted": 1}, "n": 1}')};
}
