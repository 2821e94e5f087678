// Time: an async function, made where no syntax check sees it, that never ends.
// expect: timeout
function decodeUplink(input) {
  eval('(async function () { for (;;) await 0; })()');
  return {data: {n: input.bytes[0]}};
}
