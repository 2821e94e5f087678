// Inflight demo sensor, FPort 10, 11 octets, big endian:
//   0     version, 1
//   1-2   temperature, signed, 0.01 °C
//   3     relative humidity, 0.5 %
//   4-5   battery, mV
//   6-9   counter of measurements
//   10    flags: bit 0 is set while the door is open (not decoded)

var FPORT = 10;
var LENGTH = 11;
var VERSION = 1;

function decodeUplink(input) {
  var bytes = input.bytes;
  if (input.fPort !== FPORT) {
    return { errors: ['FPort ' + input.fPort + ' is unknown, measurements come on ' + FPORT] };
  }
  if (bytes.length !== LENGTH) {
    return { errors: ['the payload has ' + bytes.length + ' octets, ' + LENGTH + ' were expected'] };
  }
  if (bytes[0] !== VERSION) {
    return { errors: ['version ' + bytes[0] + ' is unknown, this codec reads version ' + VERSION] };
  }
  return {
    data: {
      temperature: signed16(bytes, 1) / 100,
      humidity: bytes[3] / 2,
      battery: unsigned16(bytes, 4) / 1000,
      counter: unsigned16(bytes, 6) * 65536 + unsigned16(bytes, 8)
    }
  };
}

function unsigned16(bytes, at) {
  return (bytes[at] << 8) | bytes[at + 1];
}

function signed16(bytes, at) {
  var value = unsigned16(bytes, at);
  return value >= 0x8000 ? value - 0x10000 : value;
}
