// SenseCAP LoRaWAN sensors: values of seven octets, little endian, and a checksum of two.
//   0     channel
//   1-2   what it is; 7 on channel 0 is the battery
//   3-6   value, signed, in thousandths; of the battery: percent in 3-4
// The checksum is CRC-16 with the polynomial 0x1021, least significant bit first, beginning with 0.

var MEASUREMENTS = {
  0x1001: ['air.temperature', 1],
  0x1002: ['air.relativeHumidity', 1],
  0x1003: ['air.lightIntensity', 1],
  0x1004: ['air.co2', 1],
  0x1005: ['air.pressure', 100], // Pa
  0x1006: ['soil.temperature', 1],
  0x1007: ['soil.moisture', 1],
  0x1008: ['wind.direction', 1],
  0x1009: ['wind.speed', 1],
  0x100a: ['water.pH', 1],
  0x100c: ['soil.ec', 1],
  0x100e: ['soil.moisture', 1],
  0x100f: ['soil.ec', 1],
  0x1010: ['soil.temperature', 1],
  0x1011: ['rain.intensity', 1],
  0x1013: ['distance', 0.1] // cm
};

function decodeUplink(input) {
  var bytes = input.bytes;
  var end = bytes.length - 2;
  if (end < 7 || end % 7 !== 0) return { errors: [bytes.length + ' octets are no values of 7 and a checksum of 2'] };
  if (checksum(bytes, end) !== (bytes[end] | (bytes[end + 1] << 8))) return { errors: ['the checksum is wrong'] };
  var data = {};
  var warnings = [];
  for (var at = 0; at < end; at += 7) {
    var id = bytes[at + 1] | (bytes[at + 2] << 8);
    var measurement = MEASUREMENTS[id];
    if (id === 7) data.batteryPercent = bytes[at + 3] | (bytes[at + 4] << 8);
    else if (measurement) put(data, measurement[0], signed32(bytes, at + 3) / 1000 / measurement[1]);
    else if (id >= 0x1000) warnings.push('measurement ' + id + ' is not known to this codec');
  }
  return warnings.length ? { data: data, warnings: warnings } : { data: data };
}

function put(data, path, value) {
  var names = path.split('.');
  for (var i = 0; i < names.length - 1; i++) data = data[names[i]] = data[names[i]] || {};
  data[names[i]] = value;
}

function signed32(b, at) {
  return b[at] | (b[at + 1] << 8) | (b[at + 2] << 16) | (b[at + 3] << 24);
}

function checksum(bytes, end) {
  var value = 0;
  for (var i = 0; i < end; i++) {
    value ^= bytes[i];
    for (var bit = 0; bit < 8; bit++) value = value & 1 ? (value >> 1) ^ 0x8408 : value >> 1;
  }
  return value;
}
