// Nothing that could decode.
// expect: refused syntax
var x = 1;
