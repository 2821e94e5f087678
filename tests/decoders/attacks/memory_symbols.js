// Memory: registered symbols, which are kept as long as the realm.
// expect: memory | timeout | worker_died | parked
function decodeUplink(input) {
  for (var i = 0; ; i++) Symbol.for('symbol ' + i);
  return {data: {n: input.bytes[0]}};
}
