// The worker's life: native code that nothing stops, every time.
// expect: memory | worker_died | timeout | exception | parked
function decodeUplink(input) {
  for (;;) 'x'.repeat(5e8).toUpperCase().normalize('NFD');
  return {data: {n: input.bytes[0]}};
}
