// Escape: the host's objects through `constructor.constructor`.
// expect: {"found":[]}
function decodeUplink(input) {
  var run = [].constructor.constructor;
  var found = ['process', 'require("fs")', 'require("child_process")', 'Deno', 'Bun', 'window', 'document', 'XMLHttpRequest', 'fetch',
    'WebSocket', 'importScripts', 'load', 'read', 'readFile', 'print', 'quit', 'd8', 'Worker', 'postMessage', 'open', 'system'].filter(function (name) {
    try { return run('return ' + name)() !== undefined; } catch (error) { return false; }
  });
  return {data: {found: found}};
}
