// Runs a decoder in plain node, as the yardstick: {source, inputs: [{bytes, fPort, recvTime, variables}]} on standard input,
// a list of {data} or {error} on standard output.
'use strict';
const vm = require('vm');

const { source, inputs } = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const context = vm.createContext({ console: { log() {} } });
vm.runInContext(source, context);
const outputs = inputs.map((input) => {
  context.input = { ...input, recvTime: new Date(input.recvTime) };
  try {
    const returned = vm.runInContext(
      `typeof decodeUplink === 'function' ? decodeUplink(input)
        : typeof Decode === 'function' ? {data: Decode(input.fPort, input.bytes, input.variables)}
        : {data: Decoder(input.bytes, input.fPort)}`, context);
    return returned.errors && returned.errors.length ? { error: returned.errors.join('; ') } : { data: returned.data };
  } catch (error) {
    return { error: error.message };
  }
});
process.stdout.write(JSON.stringify(outputs));
