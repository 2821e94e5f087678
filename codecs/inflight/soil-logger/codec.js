// Inflight soil logger, FPort 3: a header and up to ten records, oldest first, big endian.
//   0-3   time of the first record, seconds since 1970
//   4     minutes between records
//   then for each record
//   0-1   soil temperature, signed, 0.1 °C
//   2     volumetric water content, 0.5 %

var HEADER = 5;
var RECORD = 3;

function Decoder(bytes, port) {
  if (port !== 3) throw new Error('FPort ' + port + ' is unknown, records come on 3');
  if (bytes.length < HEADER || (bytes.length - HEADER) % RECORD !== 0) {
    throw new Error(bytes.length + ' octets are no whole number of records');
  }
  var start = ((bytes[0] << 24) | (bytes[1] << 16) | (bytes[2] << 8) | bytes[3]) >>> 0;
  var records = [];
  for (var at = HEADER; at < bytes.length; at += RECORD) {
    var temperature = (bytes[at] << 8) | bytes[at + 1];
    if (temperature >= 0x8000) temperature -= 0x10000;
    records.push({
      time: start + records.length * bytes[4] * 60,
      temperature: { value: temperature / 10, unit: '°C' },
      moisture: { value: bytes[at + 2] / 2, unit: '%' }
    });
  }
  return { soil: records };
}
