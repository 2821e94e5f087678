// Time: a getter called `then`, which says whether a result is a promise.
// expect: timeout
function decodeUplink(input) {
  return {get then() { for (;;) {} }};
}
