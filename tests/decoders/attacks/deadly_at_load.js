// The worker's life: ended by the top level.
// expect: refused memory
for (;;) JSON.stringify('x'.repeat(5e8));
function decodeUplink() {}
