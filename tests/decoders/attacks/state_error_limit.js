// State: how many frames of a stack are kept.
// expect: {"seen":"nothing"}
function decodeUplink(input) {
  var seen = (Error.stackTraceLimit === 10 ? undefined : Error.stackTraceLimit);
  if (seen === undefined) seen = 'nothing';
  try { Error.stackTraceLimit = input.bytes[0] + 10; } catch (error) { seen += ''; }
  return {data: {seen: seen}};
}
