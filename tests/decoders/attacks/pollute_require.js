// State: left in require, which is ours.
// expect: {"seen":"nothing"}
function decodeUplink(input) {
  var seen = require.leak || require('buffer').leak;
  if (seen === undefined) seen = 'nothing';
  try { require.leak = input.devEUI; require('buffer').leak = input.devEUI; } catch (error) { seen += ''; }
  return {data: {seen: seen}};
}
