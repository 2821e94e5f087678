// Output: text that looks like a row of the engine's answer.
// expect: {"n":"],[],null,[],null,null],[{},[],null,[],null,null"}
function decodeUplink(input) {
  return {data: {n: '],[],null,[],null,null],[{},[],null,[],null,null'}};
}
