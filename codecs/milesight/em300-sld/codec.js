// Milesight EM300-SLD: water leak, air temperature and humidity.

var ENTRIES = {
  '0367': field('air.temperature', 's16', 10),
  '0468': field('air.relativeHumidity', 'u8', 2),
  '0500': state('water.leak', [false, true]),
  '20ce': {
    size: 8,
    read: function (frame, b, at) {
      var time = number('u32', b, at);
      put(frame, 'air.temperature', number('s16', b, at + 4) / 10, time);
      put(frame, 'air.relativeHumidity', b[at + 6] / 2, time);
      put(frame, 'water.leak', b[at + 7] === 1, time);
    }
  }
};

var SETTINGS = [
  interval([0xff, 0x03], 1, 1, 64800), // how often it reports
  reboot()
];

// ---- Milesight frames: this part is the same text in every Milesight codec ----
// A frame is channel, type, value, and so on; numbers are little endian. An entry says how many octets a value has and
// what it becomes; without `read` it is passed over. Values that the device kept for later come with their own time.

var FPORT = 85;

var COMMON = {
  '0175': field('batteryPercent', 'u8', 1),
  'ff01': { size: 1 }, // version of the protocol
  'ff08': text('device.serial', 6),
  'ff09': version('device.hardware', function (minor) { return minor >> 4; }),
  'ff0a': version('device.firmware', function (minor) { return minor.toString(16); }),
  'ff0b': { size: 1 }, // switched on
  'ff0f': { size: 1 }, // class
  'ff16': text('device.serial', 8),
  'ff18': { size: 2 }, // which sensors are enabled
  'fffe': { size: 1 }, // has been reset
  'ffff': { size: 2 } // version of the thing specification
};

function decodeUplink(input) {
  var bytes = input.bytes;
  var frame = { data: {}, warnings: [], recvTime: input.recvTime };
  for (var at = 0; at < bytes.length;) {
    if (at + 1 === bytes.length) return { errors: ['octet ' + at + ' is a channel without a type'] };
    var key = hex(bytes, at, 2);
    var entry = ENTRIES[key] || COMMON[key];
    var name = 'channel ' + key.slice(0, 2) + ' type ' + key.slice(2);
    if (!entry) {
      if (at === 0) return { errors: [name + ' is unknown'] };
      frame.warnings.push(name + ' at octet ' + at + ' is unknown, the rest is not read');
      break;
    }
    at += 2;
    if (at + entry.size > bytes.length) {
      return { errors: [name + ' needs ' + entry.size + ' octets, ' + (bytes.length - at) + ' are left'] };
    }
    if (entry.read) entry.read(frame, bytes, at);
    at += entry.size;
  }
  return frame.warnings.length ? { data: frame.data, warnings: frame.warnings } : { data: frame.data };
}

function put(frame, path, value, time) {
  var names = path.split('.');
  var last = names.pop();
  var node = frame.data;
  for (var i = 0; i < names.length; i++) node = node[names[i]] = node[names[i]] || {};
  var old = node[last];
  if (time === undefined && !Array.isArray(old)) {
    node[last] = value;
    return;
  }
  var now = (frame.recvTime ? new Date(frame.recvTime) : new Date()).toISOString();
  if (old === undefined) node[last] = [];
  else if (!Array.isArray(old)) node[last] = [{ value: old, time: now }];
  node[last].push({ value: value, time: time === undefined ? now : time });
}

function field(path, kind, divisor) {
  return {
    size: kind.slice(1) / 8,
    read: function (frame, b, at) { put(frame, path, number(kind, b, at) / divisor); }
  };
}

function state(path, values) {
  return {
    size: 1,
    read: function (frame, b, at) {
      if (values[b[at]] === undefined) frame.warnings.push(path + ' ' + b[at] + ' is unknown');
      else put(frame, path, values[b[at]]);
    }
  };
}

function version(path, minor) {
  return { size: 2, read: function (frame, b, at) { put(frame, path, b[at] + '.' + minor(b[at + 1])); } };
}

function text(path, size) {
  return { size: size, read: function (frame, b, at) { put(frame, path, hex(b, at, size)); } };
}

function number(kind, b, at) {
  var value = 0;
  for (var i = kind.slice(1) / 8 - 1; i >= 0; i--) value = value * 256 + b[at + i];
  var half = Math.pow(2, kind.slice(1) - 1);
  return kind.charAt(0) === 's' && value >= half ? value - 2 * half : value;
}

function hex(b, at, count) {
  var digits = '';
  for (var i = at; i < at + count; i++) digits += (b[i] < 16 ? '0' : '') + b[i].toString(16);
  return digits;
}

function encodeDownlink(input) {
  var bytes = [];
  for (var name in input.data) {
    var setting = settingOf(name);
    if (!setting) return { errors: [name + ' is unknown, there are ' + settingNames()] };
    var value = setting.encode(input.data[name]);
    if (typeof value === 'string') return { errors: [name + ' ' + value] };
    bytes = bytes.concat(setting.prefix, value);
  }
  return bytes.length ? { fPort: FPORT, bytes: bytes } : { errors: ['nothing to set, there are ' + settingNames()] };
}

function decodeDownlink(input) {
  var data = {};
  for (var at = 0; at < input.bytes.length;) {
    var setting = settingAt(input.bytes, at);
    if (!setting) return { errors: ['octet ' + at + ' begins no known setting'] };
    data[setting.name] = setting.decode(input.bytes, at + setting.prefix.length);
    at += setting.prefix.length + setting.size;
  }
  return { data: data };
}

function settingNames() {
  return SETTINGS.map(function (setting) { return setting.name; }).join(', ');
}

function settingOf(name) {
  return SETTINGS.filter(function (setting) { return setting.name === name; })[0];
}

function settingAt(bytes, at) {
  return SETTINGS.filter(function (setting) {
    return at + setting.prefix.length + setting.size <= bytes.length &&
      setting.prefix.every(function (octet, i) { return bytes[at + i] === octet; });
  })[0];
}

function interval(prefix, unit_s, min, max) {
  return {
    name: 'interval_s',
    prefix: prefix,
    size: 2,
    encode: function (value) {
      var count = value / unit_s;
      if (count % 1 === 0 && count >= min && count <= max) return [count & 255, count >> 8];
      var step = unit_s === 1 ? '' : ' in steps of ' + unit_s;
      return 'is ' + JSON.stringify(value) + ', ' + min * unit_s + ' to ' + max * unit_s + step + ' are possible';
    },
    decode: function (b, at) { return number('u16', b, at) * unit_s; }
  };
}

function reboot() {
  return {
    name: 'reboot',
    prefix: [0xff, 0x10],
    size: 1,
    encode: function (value) {
      return value === true ? [0xff] : 'is ' + JSON.stringify(value) + ', only true is possible';
    },
    decode: function () { return true; }
  };
}
