// Escape: the engine's functions as callers.
// expect: {"found":"nothing"}
function decodeUplink(input) {
  var found = 'nothing';
  try { found = arguments.callee.caller || found; } catch (error) { found = 'nothing'; }
  try { if (decodeUplink.caller) found = 'caller'; } catch (error) { found = 'nothing'; }
  return {data: {found: found}};
}
