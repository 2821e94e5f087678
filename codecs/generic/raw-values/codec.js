// Raw values: no script is needed where a payload is a row of numbers. The device's variable `layout` says which:
//
//   lns device set cellar --var 'layout=air.temperature:s16/100, -:u8, battery:u16/1000'
//
// u8 to u32 are unsigned, s8 to s32 signed, f32 is a float; all big endian, or little endian with an `l` at the end:
// s16l. A divisor may follow. `-` is passed over. Without a layout, or after its end, the octets come as text.

function decodeUplink(input) {
  var bytes = input.bytes;
  var data = {};
  var at = 0;
  var layout = String((input.variables || {}).layout || '');
  var fields = layout.split(',').filter(function (part) { return part.trim(); });
  for (var i = 0; i < fields.length; i++) {
    var field = /^\s*([A-Za-z_][\w.]*|-)\s*:\s*([usf])(8|16|24|32)(l?)\s*(?:\/\s*([0-9.]+))?\s*$/.exec(fields[i]);
    if (!field || (field[2] === 'f' && field[3] !== '32') || field[5] && !Number(field[5])) {
      return { errors: ['layout: "' + fields[i].trim() + '" is not name:type or name:type/divisor'] };
    }
    var size = field[3] / 8;
    if (at + size > bytes.length) {
      return { errors: [field[1] + ' needs octets ' + at + ' to ' + (at + size - 1) + ', there are ' + bytes.length] };
    }
    var octets = bytes.slice(at, at + size);
    if (field[4]) octets.reverse();
    if (field[1] !== '-') put(data, field[1], number(octets, field[2]) / Number(field[5] || 1));
    at += size;
  }
  if (at < bytes.length) data.raw = hex(bytes.slice(at));
  return { data: data };
}

function number(octets, kind) {
  var value = octets.reduce(function (sum, octet) { return sum * 256 + octet; }, 0);
  if (kind === 'f') return new DataView(new Uint8Array(octets).buffer).getFloat32(0);
  return kind === 's' && octets[0] & 128 ? value - Math.pow(256, octets.length) : value;
}

function put(data, path, value) {
  var names = path.split('.');
  for (var i = 0; i < names.length - 1; i++) data = data[names[i]] = data[names[i]] || {};
  data[names[i]] = value;
}

function hex(bytes) {
  return bytes.map(function (octet) { return (octet < 16 ? '0' : '') + octet.toString(16); }).join('');
}
