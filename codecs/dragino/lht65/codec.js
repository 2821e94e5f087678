// Dragino LHT65: air temperature and humidity, and a probe. FPort 2, big endian, 7 or 11 octets.
//   0-1   battery, mV in the lower 14 bits
//   2-3   temperature, signed, 0.01 °C
//   4-5   humidity, 0.1 %
//   6     bits 0-3: what is connected, 1 is a temperature probe; bit 6: this is a record of the past
//   7-8   temperature of the probe, signed, 0.01 °C; 0x7fff where none answers
//   9-10  mean nothing
// A record of the past has the probe in octets 0-1, and seconds since 1970 in 7-10; several may follow one another.

var PROBE = 1;
var TIMED = 9; // of the LHT65N
var NOTHING = 0x7fff;

function decodeUplink(input) {
  var bytes = input.bytes;
  if (input.fPort !== 2) return { errors: ['FPort ' + input.fPort + ' is unknown, values come on 2'] };
  if (bytes.length % 11 === 0 && bytes[6] & 0x40) return records(bytes);
  var connected = bytes[6] & 15;
  if (bytes.length !== 11 && (bytes.length !== 7 || connected)) {
    return { errors: ['the payload has ' + bytes.length + ' octets, 11 were expected, or 7 with nothing connected'] };
  }
  if (connected === TIMED) return { errors: ['values with a time stamp, mode 9, have another layout'] };
  var data = { battery: (unsigned(bytes, 0, 2) & 0x3fff) / 1000, air: air(bytes, 0) };
  if (connected === PROBE) {
    if (unsigned(bytes, 7, 2) === NOTHING) return { data: data, warnings: ['the probe is not connected'] };
    data.probe = { temperature: signed(bytes, 7, 2) / 100 };
  } else if (connected) {
    return { data: data, warnings: ['external sensor ' + connected + ' is not read by this codec'] };
  }
  return { data: data };
}

function air(bytes, at) {
  return { temperature: signed(bytes, at + 2, 2) / 100, relativeHumidity: (unsigned(bytes, at + 4, 2) & 0xfff) / 10 };
}

function records(bytes) {
  var temperature = [];
  var humidity = [];
  var probe = [];
  for (var at = 0; at < bytes.length; at += 11) {
    var time = unsigned(bytes, at + 7, 4);
    var values = air(bytes, at);
    temperature.push({ value: values.temperature, time: time });
    humidity.push({ value: values.relativeHumidity, time: time });
    if ((bytes[at + 6] & 15) === PROBE && unsigned(bytes, at, 2) !== NOTHING) {
      probe.push({ value: signed(bytes, at, 2) / 100, time: time });
    }
  }
  var data = { air: { temperature: temperature, relativeHumidity: humidity } };
  if (probe.length) data.probe = { temperature: probe };
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
