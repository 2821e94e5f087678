// Runs a decoder in plain node, as the yardstick: {source, inputs: [{bytes, fPort, recvTime, variables}]} on standard input,
// a list of {data} or {error} on standard output.
'use strict';
const vm = require('vm');

const { source, inputs } = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const context = vm.createContext({ console: { log() {} } });
vm.runInContext(source, context);
const decode = vm.runInContext(`(function (given) {
  return typeof decodeUplink === 'function' ? decodeUplink(given)
    : typeof Decode === 'function' ? {data: Decode(given.fPort, given.bytes, given.variables)}
    : {data: Decoder(given.bytes, given.fPort)};
})`, context);
const outputs = inputs.map((input) => {
  try {
    const returned = decode({ ...input, recvTime: new Date(input.recvTime) });
    return returned.errors && returned.errors.length ? { error: returned.errors.join('; ') } : { data: returned.data };
  } catch (error) {
    return { error: error.message };
  }
});
process.stdout.write(JSON.stringify(outputs));
