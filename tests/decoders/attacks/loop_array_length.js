// Time: a list that looks two thousand million entries long.
// expect: timeout | memory | bad_result | too_large
function decodeUplink(input) {
  return {data: {n: new Proxy([], {get: function (a, key) { return key === 'length' ? 2e9 : key === 'toJSON' ? undefined : 1; }})}};
}
