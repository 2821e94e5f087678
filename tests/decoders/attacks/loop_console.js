// Time: a value whose toJSON never ends, handed to console.log.
// expect: timeout
function decodeUplink(input) {
  console.log({toJSON: function () { for (;;) {} }});
  return {data: {n: input.bytes[0]}};
}
