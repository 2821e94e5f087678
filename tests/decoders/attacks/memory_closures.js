// Memory: functions that keep functions.
// expect: memory | timeout | worker_died | parked
function decodeUplink(input) {
  function keep(inner) { return function () { return inner; }; }
  for (var outer = null; ; ) outer = keep(outer);
  return {data: {n: input.bytes[0]}};
}
