// Escape: direct eval in the engine's scope.
// expect: {"found":[]}
function decodeUplink(input) {
  var found = [];
  try { eval('if (typeof runBatch !== "undefined") found.push("runBatch")'); } catch (error) { found.push('error'); }
  return {data: {found: found}};
}
