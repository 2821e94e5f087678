// Escape: the engine's own functions and variables by their names.
// expect: {"found":[]}
function decodeUplink(input) {
  var found = ['memory', 'memoryOf', 'at', 'current', 'adopt', 'adoptFresh', 'instantiate', 'authorSource', 'functions', 'runBatch', 'one',
    'readRequest', 'openState', 'logLines', 'setClock', 'toJson', 'Input', 'known', 'lockBuiltIns', 'G', 'state'].filter(function (name) {
    try { return (0, eval)('typeof ' + name) !== 'undefined'; } catch (error) { return true; }
  });
  return {data: {found: found}};
}
