// Errors: a proxy of which every use throws is thrown.
// expect: exception
function decodeUplink(input) {
  var trap = function () { throw new Error('no'); };
  throw new Proxy({}, {get: trap, has: trap, getPrototypeOf: trap, ownKeys: trap});
}
