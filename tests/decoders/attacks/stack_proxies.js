// Stack: a chain of proxies.
// expect: exception | bad_result
function decodeUplink(input) {
  var proxy = {};
  for (var i = 0; i < 200000; i++) proxy = new Proxy(proxy, {});
  return {data: {n: proxy.missing}};
}
