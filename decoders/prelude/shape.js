// From what a script returned to JSON: envelopes, lists of fields, and values that JSON does not have.

let bigIntsAsText = false;

// JSON has no BigInt: one that a double holds exactly becomes a number, any other becomes text.
defineHidden(BigInt.prototype, 'toJSON', function toJSON() {
  if (this >= Number.MIN_SAFE_INTEGER && this <= Number.MAX_SAFE_INTEGER) return Number(this);
  bigIntsAsText = true;
  return this.toString();
});

// Containers that JSON would show as {} or as an object with numbered keys.
const listOf = Array.from;
defineHidden(Set.prototype, 'toJSON', function toJSON() { return listOf(this); });
defineHidden(Map.prototype, 'toJSON', function toJSON() { return Object.fromEntries(this); });
defineHidden(Object.getPrototypeOf(Uint8Array.prototype), 'toJSON', function toJSON() { return listOf(this); });
defineHidden(ArrayBuffer.prototype, 'toJSON', function toJSON() { return listOf(new Uint8Array(this)); });
defineHidden(RegExp.prototype, 'toJSON', function toJSON() { return Text(this); });

// What a TS013 function returns; where an author's function returns the bare data, it is put into that form. Data may have
// a field of its own called `data`, `errors` or `warnings`, so a bare list or scalar under these names does not count.
function asEnvelope(value) {
  if (!isObject(value) || isArray(value)) return { data: value };
  if (isObject(value.data) || isArray(value.errors) || isArray(value.warnings)) return value;
  return 'data' in value && keysOf(value).every((key) => key === 'data' || key === 'errors' || key === 'warnings')
    ? value : { data: value };
}

const PLACE = /^\(\s*(-?[\d.]+)\s*,\s*(-?[\d.]+)\s*\)$/;

// Datacake's list of {field, value, timestamp, device}: what is meant for other devices is not this device's, and a place is
// written as the text "(latitude,longitude)".
function fieldsOf(returned) {
  if (!isArray(returned)) return returned;
  const data = [];
  let elsewhere = 0;
  for (const entry of returned) {
    if (!isObject(entry) || typeof entry.field !== 'string') return returned;
    if (entry.device !== undefined && !isThisDevice(Text(entry.device))) {
      elsewhere++;
      continue;
    }
    const { device, ...rest } = entry;
    const place = typeof rest.value === 'string' ? PLACE.exec(rest.value) : null;
    if (place === null) {
      data.push(rest);
    } else {
      data.push({ ...rest, field: rest.field + '.latitude', value: Number(place[1]) });
      data.push({ ...rest, field: rest.field + '.longitude', value: Number(place[2]) });
    }
  }
  if (elsewhere === 0) return { data };
  return { data, warnings: [elsewhere === 1 ? '1 value is meant for another device and was left out'
    : elsewhere + ' values are meant for other devices and were left out'] };
}

function isThisDevice(name) {
  return name.toLowerCase().replace(/[^0-9a-f]/g, '') === devEui() || name === known(NAME);
}

const MAX_OCTETS = 242; // of a frame, in the best case

// An encoder's answer, or an Error: {bytes, fPort} or the octets alone.
function asDownlink(returned, wantedPort) {
  const envelope = isArray(returned) || isView(returned) ? { bytes: returned } : returned;
  if (!isObject(envelope)) throw new Error('the encoder returned ' + inWords(returned) + ', neither octets nor {bytes, fPort}');
  const errors = messages(envelope.errors);
  if (errors.length) return { errors, warnings: messages(envelope.warnings) };
  const octets = envelope.bytes;
  if (!isArray(octets) && !isView(octets)) throw new Error('the encoder returned no bytes');
  if (octets.length > MAX_OCTETS) {
    throw new Error('the encoder returned ' + octets.length + ' octets, at most ' + MAX_OCTETS + ' fit');
  }
  const warnings = messages(envelope.warnings);
  const bytes = [];
  for (let i = 0; i < octets.length; i++) {
    const whole = Math.trunc(octets[i]);
    if (!(whole >= 0 && whole <= 255)) {
      throw new Error('octet ' + i + ' is ' + printable(octets[i]) + ', it has to be 0 to 255');
    }
    if (whole !== octets[i]) warnings.push('octet ' + i + ' is ' + printable(octets[i]) + ', it was cut to ' + whole);
    bytes.push(whole);
  }
  const fPort = envelope.fPort === undefined || envelope.fPort === null ? wantedPort : envelope.fPort;
  if (!isInteger(fPort) || fPort < 1 || fPort > 223) {
    throw new Error('fPort is ' + printable(fPort) + ', it has to be 1 to 223');
  }
  return { data: { bytes, fPort }, warnings };
}

function inWords(value) {
  return value === undefined || value === null ? 'nothing' : 'a ' + typeof value;
}
