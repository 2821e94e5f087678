// Time and memory: a generator that never ends, spread into a list.
// expect: timeout | memory | worker_died | parked
function decodeUplink(input) {
  function* endless() { for (;;) yield 1; }
  var list = [...endless()];
  return {data: {n: list.length}};
}
