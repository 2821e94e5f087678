// Output: a proxy of which every use throws.
// expect: bad_result
function decodeUplink(input) {
  var trap = function () { throw new Error('no'); };
  return new Proxy({}, {get: trap, has: trap, ownKeys: trap, getOwnPropertyDescriptor: trap, getPrototypeOf: trap});
}
