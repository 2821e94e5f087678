// Paxcounter, the open firmware that counts Wi-Fi and Bluetooth devices, with its payload format "plain". Big endian.
//   FPort 1   0-1 Wi-Fi devices, 2-3 Bluetooth devices; then, of a counter that moves, the position as on FPort 4
//   FPort 2   0-1 battery mV, 2-9 uptime s, 10 temperature, 11-14 free memory, 15 reason of the reset, 16-19 restarts
//   FPort 4   0-3 latitude and 4-7 longitude, both in millionths of a degree, 8 satellites, 9-10 HDOP in hundredths,
//             11-12 altitude m
//   FPort 5   0 a button was pressed
//   FPort 7   0-1 temperature, 2-3 pressure, 4-5 humidity, 6-7 index of the air quality
//   FPort 8   0-1 battery mV

var SIZES = { 1: [2, 4, 15, 17], 2: [20], 4: [13], 5: [1], 7: [8], 8: [2] };
var READERS = { 1: people, 2: status, 4: position, 5: button, 7: environment, 8: battery };

function decodeUplink(input) {
  var sizes = SIZES[input.fPort];
  var bytes = input.bytes;
  if (!sizes) return { errors: ['FPort ' + input.fPort + ' is unknown, there are 1, 2, 4, 5, 7 and 8'] };
  if (sizes.indexOf(bytes.length) < 0) {
    return { errors: ['the payload has ' + bytes.length + ' octets, ' + sizes.join(' or ') + ' were expected'] };
  }
  return { data: READERS[input.fPort](bytes) };
}

function people(b) {
  var data = { pax: { wifi: u16(b, 0) } };
  if (b.length === 4 || b.length === 17) data.pax.ble = u16(b, 2);
  data.occupancy = { count: data.pax.wifi + (data.pax.ble || 0) };
  if (b.length > 4) data.position = place(b, b.length - 13);
  return data;
}

function status(b) {
  var data = {
    device: { temperature: (b[10] << 24) >> 24, freeMemory: u32(b, 11), restarts: u32(b, 16) },
    uptime: u32(b, 2) * 4294967296 + u32(b, 6)
  };
  var volts = u16(b, 0) / 1000;
  if (volts) data.battery = volts; // 0: the board cannot measure it
  return data;
}

function position(b) {
  return { position: place(b, 0) };
}

function place(b, at) {
  return {
    latitude: (u32(b, at) | 0) / 1e6,
    longitude: (u32(b, at + 4) | 0) / 1e6,
    satellites: b[at + 8],
    hdop: u16(b, at + 9) / 100,
    altitude: (u16(b, at + 11) << 16) >> 16
  };
}

function button() {
  return { action: { button: { pressed: true } } };
}

function environment(b) {
  return {
    air: { temperature: (u16(b, 0) << 16) >> 16, pressure: u16(b, 2), relativeHumidity: u16(b, 4), iaq: u16(b, 6) }
  };
}

function battery(b) {
  var volts = u16(b, 0) / 1000;
  return volts ? { battery: volts } : {};
}

function u16(b, at) {
  return (b[at] << 8) | b[at + 1];
}

function u32(b, at) {
  return u16(b, at) * 65536 + u16(b, at + 2);
}

function encodeDownlink(input) {
  for (var name in input.data) {
    if (name !== 'interval_s') return { errors: [name + ' is unknown, there are interval_s'] };
  }
  var value = (input.data || {}).interval_s;
  if (!(value % 2 === 0 && value >= 10 && value <= 510)) {
    return { errors: ['interval_s is ' + JSON.stringify(value) + ', 10 to 510 in steps of 2 are possible'] };
  }
  return { fPort: 2, bytes: [0x0a, value / 2] };
}

function decodeDownlink(input) {
  var bytes = input.bytes;
  if (bytes.length !== 2 || bytes[0] !== 0x0a) return { errors: ['octet 0 begins no known setting'] };
  return { data: { interval_s: bytes[1] * 2 } };
}
