// MClimate Flood Sensor: water on the floor, opened case, temperature.
//
// A frame without a command in front has three octets: bits 7-5 of the first say why it comes, bit 3 that the case is
// open, bit 1 that there is water; then the battery in 16 mV, and the temperature with its sign in bit 7 (from firmware
// 1.5 on). Answers to requests come before it.

var ANSWERS = { 0x07: 2, 0x12: 2, 0x1b: 1 };

function decodeUplink(input) {
  var bytes = input.bytes;
  var at = bytes.length - 3;
  if (at < 0) return { errors: ['the payload has ' + bytes.length + ' octets, 3 are the least'] };
  var answers = {};
  for (var i = 0; i < at; i += 1 + ANSWERS[bytes[i]]) {
    if (!ANSWERS[bytes[i]] || i + ANSWERS[bytes[i]] >= at) {
      return { errors: ['octet ' + i + ' is neither an answer nor the beginning of the last three'] };
    }
    if (bytes[i] === 0x12) answers.reportInterval = (bytes[i + 1] * 256 + bytes[i + 2]) * 60;
  }
  var reason = ['report', null, 'water', null, 'tamper'][bytes[at] >> 5];
  var degrees = bytes[at + 2] & 127;
  var data = {
    water: { leak: (bytes[at] & 2) !== 0 },
    action: { tamper: (bytes[at] & 8) !== 0 },
    battery: bytes[at + 1] * 16 / 1000,
    device: { temperature: bytes[at + 2] & 128 ? -degrees : degrees }
  };
  if (reason) data.reason = reason;
  if (answers.reportInterval) data.device.reportInterval = answers.reportInterval;
  return { data: data };
}

function encodeDownlink(input) {
  var value = (input.data || {}).interval_s;
  for (var name in input.data) {
    if (name !== 'interval_s') return { errors: [name + ' is unknown, there are interval_s'] };
  }
  if (!(value % 60 === 0 && value >= 60 && value <= 864000)) {
    return { errors: ['interval_s is ' + JSON.stringify(value) + ', 60 to 864000 in steps of 60 are possible'] };
  }
  return { fPort: 1, bytes: [0x05, value / 60 >> 8, value / 60 & 255] };
}

function decodeDownlink(input) {
  var bytes = input.bytes;
  if (bytes.length !== 3 || bytes[0] !== 0x05) return { errors: ['octet 0 begins no known setting'] };
  return { data: { interval_s: (bytes[1] * 256 + bytes[2]) * 60 } };
}
