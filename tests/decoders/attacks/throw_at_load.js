// A top level that throws a value which cannot be printed.
// expect: refused exception
throw {get message() { throw this; }, toString: null, valueOf: null};
function decodeUplink() {}
