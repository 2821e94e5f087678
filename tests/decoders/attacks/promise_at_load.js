// Time: promises of the top level that go on after it.
// expect: refused timeout
(function again() { Promise.resolve().then(again); })();
function decodeUplink() {}
