// State: left in the global object under another name.
// expect: {"seen":"nothing"}
function decodeUplink(input) {
  var whole = this;
  var seen = whole.leak === undefined ? 'nothing' : whole.leak;
  whole.leak = input.devEUI;
  return {data: {seen: seen}};
}
