// The memory in which the engine reads requests, through the methods it might use for that.
// expect: {"seen":"nothing"} | exception
var stolen = DataView.tell || (function () {
  var what = 'nothing';
  var views = Object.getPrototypeOf(Uint8Array.prototype);
  ['subarray', 'slice', 'set', 'values'].forEach(function (name) {
    var method = views[name];
    views[name] = function () {
      if (this.length > 64) what = name;
      return method.apply(this, arguments);
    };
  });
  ['buffer', 'length'].forEach(function (name) {
    var getter = Object.getOwnPropertyDescriptor(views, name).get;
    Object.defineProperty(views, name, {configurable: true, get: function () {
      if (getter.call(this) > 64 || name === 'buffer') what = name;
      return getter.call(this);
    }});
  });
  DataView = Uint8Array = ArrayBuffer = function (memory) {
    if (memory) what = 'constructor';
    throw new Error(what);
  };
  DataView.tell = function () { return what; };
  return DataView.tell;
})();
function decodeUplink(input) {
  return {data: {seen: input.variables && input.gateways && input.tags ? stolen() : 'nothing'}};
}
