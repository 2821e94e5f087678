// Memory: taken before there is any uplink.
// expect: refused memory | refused timeout
var list = [];
for (;;) list.push({x: [1, 2, 3]});
function decodeUplink() {}
