// Escape: functions and objects of the engine through Error.prepareStackTrace.
// expect: {"functions":[],"objects":0} | {"functions":["decodeUplink"],"objects":0} | exception
var frames;
Error.prepareStackTrace = function (error, list) { frames = list; return 'x'; };
function decodeUplink(input) {
  var error = new Error('x');
  var seen = error.stack;
  var functions = frames.map(function (frame) { return frame.getFunction(); }).filter(Boolean).map(function (f) { return f.name; });
  var objects = frames.map(function (frame) { return frame.getThis(); }).filter(function (o) { return o && o !== globalThis; }).length;
  return {data: {functions: functions, objects: objects}};
}
