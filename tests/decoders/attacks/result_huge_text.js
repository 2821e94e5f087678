// Output: a text of 500 MB.
// expect: too_large | bad_result | exception | memory | timeout | worker_died | parked
function decodeUplink(input) {
  return {data: {text: 'x'.repeat(5e8)}};
}
