// One uplink in a thousand takes all memory.
// expect: n ; memory | timeout | worker_died ; n
function decodeUplink(input) {
  for (var list = []; input.fCnt === 1; ) list.push({x: [1, 2, 3]});
  return {data: {n: input.bytes[0]}};
}
