// Time: a top level that never ends.
// expect: refused timeout
while (true) {}
function decodeUplink() {}
