// Dragino LSE01: soil moisture, temperature and conductivity. FPort 2, big endian, 11 octets.
//   0-1   battery, mV in the lower 14 bits
//   2-3   kept for an external temperature probe (not decoded)
//   4-5   moisture, 0.01 %
//   6-7   temperature, signed, 0.01 °C
//   8-9   conductivity, µS/cm
//   10    bit 7: the values are raw
// The manual reckons -1.29 °C from ff7e, one less than the two's complement that is read here.

function decodeUplink(input) {
  var bytes = input.bytes;
  if (input.fPort !== 2) return { errors: ['FPort ' + input.fPort + ' is unknown, values come on 2'] };
  if (bytes.length !== 11) return { errors: ['the payload has ' + bytes.length + ' octets, 11 were expected'] };
  var data = { battery: (unsigned(bytes, 0, 2) & 0x3fff) / 1000 };
  if (bytes[10] & 0x80) {
    data.soil = {
      dielectricConstant: unsigned(bytes, 4, 2) / 10,
      moistureRaw: unsigned(bytes, 6, 2),
      ecRaw: unsigned(bytes, 8, 2)
    };
  } else {
    data.soil = {
      moisture: unsigned(bytes, 4, 2) / 100,
      temperature: signed(bytes, 6, 2) / 100,
      ec: unsigned(bytes, 8, 2) / 1000
    };
  }
  return { data: data };
}

// ---- Dragino settings: this part is the same text in every Dragino codec ----

function encodeDownlink(input) {
  var bytes = [];
  for (var name in input.data) {
    var value = input.data[name];
    if (name === 'interval_s') {
      if (!(value % 1 === 0 && value >= 1 && value <= 0xffffff)) {
        return { errors: ['interval_s is ' + JSON.stringify(value) + ', 1 to 16777215 are possible'] };
      }
      bytes.push(0x01, value >> 16, (value >> 8) & 255, value & 255);
    } else if (name === 'reset') {
      if (value !== true) return { errors: ['reset is ' + JSON.stringify(value) + ', only true is possible'] };
      bytes.push(0x04, 0xff);
    } else {
      return { errors: [name + ' is unknown, there are interval_s, reset'] };
    }
  }
  return bytes.length ? { fPort: 1, bytes: bytes } : { errors: ['nothing to set, there are interval_s, reset'] };
}

function decodeDownlink(input) {
  var bytes = input.bytes;
  if (bytes.length === 4 && bytes[0] === 0x01) return { data: { interval_s: unsigned(bytes, 1, 3) } };
  if (bytes.length === 2 && bytes[0] === 0x04) return { data: { reset: true } };
  return { errors: ['octet 0 begins no known setting'] };
}

function unsigned(bytes, at, count) {
  var value = 0;
  for (var i = at; i < at + count; i++) value = value * 256 + bytes[i];
  return value;
}

function signed(bytes, at, count) {
  var value = unsigned(bytes, at, count);
  var half = Math.pow(2, 8 * count - 1);
  return value >= half ? value - 2 * half : value;
}
