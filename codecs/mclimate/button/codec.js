// MClimate Multipurpose Button: button with one, two and three presses, temperature.

var COMMANDS = {
  0x01: {
    size: 4,
    read: function (data, b, warnings) {
      data.battery = (b[0] * 8 + 1600) / 1000;
      probe(data, b[1], b[2], warnings);
      data.action = { button: { pressed: b[3] > 0 } };
      if (b[3]) data.action.button.event = ['', 'single', 'double', 'triple'][b[3]] || b[3] + ' presses';
    }
  },
  0x04: { size: 2, read: readVersions },
  0x12: { size: 1, read: readInterval }
};

var SETTINGS = [
  { name: 'interval_s', command: 0x02, size: 1, step: 60, min: 60, max: 15300, allowed: '60 to 15300 in steps of 60' }
];

function probe(data, high, low, warnings, negative) {
  if (high & 4) warnings.push('the probe is not connected');
  else data.probe = { temperature: (((high & 3) << 8) | low) / (negative ? -10 : 10) };
}

// ---- MClimate commands: this part is the same text in every MClimate codec ----
// A frame is a command and its octets, and so on. Answers to requests come before the keep-alive, which is last.

function decodeUplink(input) {
  var bytes = input.bytes;
  var frame = { data: {}, warnings: [] };
  for (var at = 0; at < bytes.length;) {
    var command = COMMANDS[bytes[at]];
    var name = 'command 0x' + (bytes[at] < 16 ? '0' : '') + bytes[at].toString(16);
    if (!command) {
      if (at === 0) return { errors: [name + ' is unknown'] };
      frame.warnings.push(name + ' at octet ' + at + ' is unknown, the rest is not read');
      break;
    }
    at += 1;
    if (at + command.size > bytes.length) {
      return { errors: [name + ' needs ' + command.size + ' octets, ' + (bytes.length - at) + ' are left'] };
    }
    command.read(frame.data, bytes.slice(at, at + command.size), frame.warnings);
    at += command.size;
  }
  return frame.warnings.length ? frame : { data: frame.data };
}

function readVersions(data, b) {
  data.device = data.device || {};
  data.device.hardware = (b[0] >> 4) + '.' + (b[0] & 15);
  data.device.firmware = (b[1] >> 4) + '.' + (b[1] & 15);
}

function readInterval(data, b) {
  data.device = data.device || {};
  data.device.reportInterval = (b.length > 1 ? b[0] * 256 + b[1] : b[0]) * 60;
}

function skip() {}

function encodeDownlink(input) {
  var bytes = [];
  for (var name in input.data) {
    var setting = settingOf(name);
    if (!setting) return { errors: [name + ' is unknown, there are ' + settingNames()] };
    var value = input.data[name];
    if (setting.type ? typeof value !== setting.type : !fits(setting, value)) {
      return { errors: [name + ' is ' + JSON.stringify(value) + ', ' + setting.allowed + ' are possible'] };
    }
    var count = setting.type ? (value ? 1 : 0) : Math.round(value / setting.step);
    bytes.push(setting.command);
    if (setting.size > 1) bytes.push(count >> 8);
    bytes.push(count & 255);
  }
  return bytes.length ? { fPort: 1, bytes: bytes } : { errors: ['nothing to set, there are ' + settingNames()] };
}

function decodeDownlink(input) {
  var data = {};
  for (var at = 0; at < input.bytes.length;) {
    var setting = settingAt(input.bytes, at);
    if (!setting) return { errors: ['octet ' + at + ' begins no known setting'] };
    var count = setting.size > 1 ? input.bytes[at + 1] * 256 + input.bytes[at + 2] : input.bytes[at + 1];
    data[setting.name] = setting.type ? count === 1 : Math.round(count * setting.step * 10) / 10;
    at += 1 + setting.size;
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
    return setting.command === bytes[at] && at + setting.size < bytes.length;
  })[0];
}

function fits(setting, value) {
  var count = value / setting.step;
  return Math.abs(count - Math.round(count)) < 1e-6 && value >= setting.min && value <= setting.max;
}
