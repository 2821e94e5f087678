// Dragino LDS02 (door) and LWL02 (water), which share a firmware. Big endian, 10 octets.
//   0-1   bit 15: the door is open; bit 14: there is water; battery, mV in the lower 14 bits
//   2     1: door, 2: water
//   3-5   how often it was open, or wet
//   6-8   how long the last time, minutes
//   9     bit 0: open for longer than is set

var DOOR = 1;
var WATER = 2;

function decodeUplink(input) {
  var bytes = input.bytes;
  if (bytes.length !== 10) return { errors: ['the payload has ' + bytes.length + ' octets, 10 were expected'] };
  var data = { battery: (unsigned(bytes, 0, 2) & 0x3fff) / 1000 };
  var events = { count: unsigned(bytes, 3, 3), lastDuration: unsigned(bytes, 6, 3) };
  if (bytes[2] === DOOR) {
    data.action = { contactState: bytes[0] & 0x80 ? 'open' : 'closed' };
    data.door = { count: events.count, lastDuration: events.lastDuration, openTooLong: (bytes[9] & 1) === 1 };
  } else if (bytes[2] === WATER) {
    data.water = { leak: (bytes[0] & 0x40) !== 0 };
    data.leak = events;
  } else {
    return { errors: ['mode ' + bytes[2] + ' is unknown, 1 is a door and 2 is water'] };
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
