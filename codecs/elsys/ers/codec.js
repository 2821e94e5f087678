// Elsys sensors (ERS, ELT, EMS): type and value, and so on; numbers are big endian. A type that is missing here ends
// the reading, as its length is not known. Positions and images of the infrared grid are passed over.

var TYPES = {
  0x01: signed16('air.temperature', 10),
  0x02: unsigned8('air.relativeHumidity'),
  0x03: {
    size: 3,
    read: function (data, b, at) {
      for (var i = 0; i < 3; i++) put(data, 'acceleration.' + 'xyz'.charAt(i), rounded(((b[at + i] << 24) >> 24) / 63));
    }
  },
  0x04: unsigned16('air.lightIntensity', 1),
  0x05: {
    size: 1,
    read: function (data, b, at) {
      put(data, 'action.motion.detected', b[at] > 0);
      put(data, 'motion.events', b[at]);
    }
  },
  0x06: unsigned16('air.co2', 1),
  0x07: unsigned16('battery', 1000),
  0x08: unsigned16('analog1', 1000),
  0x09: { size: 6 },
  0x0a: unsigned16('pulse1.events', 1),
  0x0b: unsigned32('metering.pulses', 1),
  0x0c: signed16('probe.temperature', 10),
  0x0d: flag('input1'),
  0x0e: unsigned16('distance', 1),
  0x0f: unsigned8('vibration.events'),
  0x10: {
    size: 4,
    read: function (data, b, at) {
      put(data, 'infrared.internalTemperature', int16(b, at) / 10);
      put(data, 'infrared.temperature', int16(b, at + 2) / 10);
    }
  },
  0x11: unsigned8('occupancy.level'),
  0x12: unsigned8('leak.level'),
  0x13: { size: 65 },
  0x14: unsigned32('air.pressure', 1000),
  0x15: {
    size: 2,
    read: function (data, b, at) {
      put(data, 'air.soundPeak', b[at]);
      put(data, 'air.soundLevel', b[at + 1]);
    }
  },
  0x16: unsigned16('pulse2.events', 1),
  0x17: unsigned32('pulse2.total', 1),
  0x18: unsigned16('analog2', 1000),
  0x19: signed16('probe2.temperature', 10),
  0x1a: flag('input2'),
  0x1b: { size: 4 },
  0x1c: unsigned16('air.tvoc', 1),
  0x3d: { size: 4 }
};

function decodeUplink(input) {
  var bytes = input.bytes;
  var data = {};
  for (var at = 0; at < bytes.length;) {
    var type = TYPES[bytes[at]];
    var name = 'type 0x' + (bytes[at] < 16 ? '0' : '') + bytes[at].toString(16);
    if (!type) {
      if (at === 0) return { errors: [name + ' is unknown'] };
      return { data: data, warnings: [name + ' at octet ' + at + ' is unknown, the rest is not read'] };
    }
    at += 1;
    if (at + type.size > bytes.length) {
      return { errors: [name + ' needs ' + type.size + ' octets, ' + (bytes.length - at) + ' are left'] };
    }
    if (type.read) type.read(data, bytes, at);
    at += type.size;
  }
  return { data: data };
}

function put(data, path, value) {
  var names = path.split('.');
  for (var i = 0; i < names.length - 1; i++) data = data[names[i]] = data[names[i]] || {};
  data[names[i]] = value;
}

function value(path, size, read) {
  return { size: size, read: function (data, b, at) { put(data, path, read(b, at)); } };
}

function unsigned8(path) {
  return value(path, 1, function (b, at) { return b[at]; });
}

function flag(path) {
  return value(path, 1, function (b, at) { return b[at] !== 0; });
}

function unsigned16(path, divisor) {
  return value(path, 2, function (b, at) { return (int16(b, at) & 0xffff) / divisor; });
}

function signed16(path, divisor) {
  return value(path, 2, function (b, at) { return int16(b, at) / divisor; });
}

function unsigned32(path, divisor) {
  return value(path, 4, function (b, at) {
    return ((int16(b, at) & 0xffff) * 65536 + (int16(b, at + 2) & 0xffff)) / divisor;
  });
}

function int16(b, at) {
  return (((b[at] << 8) | b[at + 1]) << 16) >> 16;
}

function rounded(number) {
  return Math.round(number * 1000) / 1000;
}
