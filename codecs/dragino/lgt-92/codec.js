// Dragino LGT-92: tracker by satellite. FPort 2, big endian; the length tells the firmware.
//   before 1.5, 8 or 12 octets        from 1.5 on, 11, 15 or 18 octets
//   0-2   latitude, signed, 0.0001°   0-3    latitude, signed, 0.000001°
//   3-5   longitude, the same         4-7    longitude, the same
//   6-7   alarm and battery           8-9    alarm and battery
//                                     10     settings (not decoded)
//   8-11  attitude                    11-14  attitude
//                                     15     HDOP, hundredths; 16-17 altitude, signed, 0.01 m
// Alarm and battery: bit 14, and mV in the lower 14 bits. The attitude is not decoded, as its scale differs between the
// manuals. No position was found: both are 0, or 0fff... where the battery is too low to look for one.

var LAYOUTS = {
  8: { size: 3, divisor: 1e4, low: 0xfffff },
  11: { size: 4, divisor: 1e6, low: 0xfffffff }
};
LAYOUTS[12] = LAYOUTS[8];
LAYOUTS[15] = LAYOUTS[18] = LAYOUTS[11];

function decodeUplink(input) {
  var bytes = input.bytes;
  var layout = LAYOUTS[bytes.length];
  if (!layout) return { errors: ['the payload has ' + bytes.length + ' octets, 8, 11, 12, 15 or 18 were expected'] };
  var status = 2 * layout.size;
  var data = { battery: (unsigned(bytes, status, 2) & 0x3fff) / 1000, alarm: (bytes[status] & 0x40) !== 0 };
  var latitude = signed(bytes, 0, layout.size);
  var longitude = signed(bytes, layout.size, layout.size);
  if (latitude === 0 && longitude === 0) return { data: data, warnings: ['no position was found'] };
  if (latitude === layout.low && longitude === layout.low) {
    return { data: data, warnings: ['the battery is too low to find a position'] };
  }
  data.position = { latitude: latitude / layout.divisor, longitude: longitude / layout.divisor };
  if (bytes.length === 18) {
    data.position.hdop = bytes[15] / 100;
    data.position.altitude = signed(bytes, 16, 2) / 100;
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
