// Escape: parts of the engine that could wait, share memory or act later.
// expect: {"found":[]}
function decodeUplink(input) {
  var found = ['WebAssembly', 'SharedArrayBuffer', 'Atomics', 'FinalizationRegistry', 'WeakRef', 'setTimeout', 'setInterval', 'setImmediate',
    'queueMicrotask', 'clearTimeout', '__timer_manager', 'gc', 'ShadowRealm', 'd8', 'performance', 'navigator'].filter(function (name) {
    return globalThis[name] !== undefined;
  });
  return {data: {found: found}};
}
