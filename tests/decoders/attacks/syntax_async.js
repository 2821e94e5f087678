// Async code where the syntax check sees it.
// expect: refused syntax
async function decodeUplink() { return {data: {}}; }
