// Inflight pulse meter, FPort 5, big endian:
//   0-3   pulses counted
//   4     flags: bit 0 is set on a leak, bit 1 when the cable is cut
//
// The device's variable `pulses_per_litre` scales the count; without it a pulse is a litre.

function Decode(fPort, bytes, variables) {
  if (fPort !== 5) throw new Error('FPort ' + fPort + ' is unknown, counts come on 5');
  if (bytes.length !== 5) throw new Error('the payload has ' + bytes.length + ' octets, 5 were expected');
  var pulses = ((bytes[0] << 24) | (bytes[1] << 16) | (bytes[2] << 8) | bytes[3]) >>> 0;
  var scale = Number(variables.pulses_per_litre || 1);
  return {
    volume: { value: pulses / scale, unit: 'l' },
    alarm: { leak: (bytes[4] & 1) !== 0, tamper: (bytes[4] & 2) !== 0 }
  };
}
