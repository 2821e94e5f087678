// One batch: JSON text of [[hex, fPort, receivedMs, devEui, fCnt, variables], ...] in, JSON text of one row per uplink out:
// [data, warnings, [reason, message, stack] or null, console lines].

const MAX_DATA_LENGTH = 65536; // characters of JSON
const MAX_MESSAGE_LENGTH = 500;
const MAX_STACK_LENGTH = 2000;
const MAX_WARNINGS = 100;

const LONE_SURROGATE = /\\ud[89a-f]/i; // JSON.stringify escapes surrogates only where they are unpaired
const ESCAPED = /\\\\|\\ud[89a-f][0-9a-f]{2}/gi;

const HEX_VALUE = new Uint8Array(128);
for (let i = 0; i < 16; i++) HEX_VALUE['0123456789abcdef'.charCodeAt(i)] = i;

let bigIntsAsText = false;

// JSON has no BigInt: one that a double holds exactly becomes a number, any other becomes text.
defineHidden(BigInt.prototype, 'toJSON', function toJSON() {
  if (this >= Number.MIN_SAFE_INTEGER && this <= Number.MAX_SAFE_INTEGER) return Number(this);
  bigIntsAsText = true;
  return this.toString();
});

// A real, new Array per call: authors push, splice and reverse it.
function octets(hex) {
  const bytes = [];
  for (let i = 0; i < hex.length; i += 2) {
    bytes.push((HEX_VALUE[hex.charCodeAt(i)] << 4) | HEX_VALUE[hex.charCodeAt(i + 1)]);
  }
  return bytes;
}

function messageOf(thrown) {
  try {
    return Text(isObject(thrown) && thrown.message !== undefined ? thrown.message : thrown).slice(0, MAX_MESSAGE_LENGTH);
  } catch (error) {
    return 'the script threw a value that cannot be printed';
  }
}

function stackOf(thrown) {
  try {
    return isObject(thrown) ? Text(thrown.stack || '').slice(0, MAX_STACK_LENGTH) : '';
  } catch (error) {
    return '';
  }
}

function messages(list) {
  if (list === undefined || list === null) return [];
  return (isArray(list) ? list : [list]).slice(0, MAX_WARNINGS).map((item) => printable(item).slice(0, MAX_MESSAGE_LENGTH));
}

function wellFormed(json) {
  return LONE_SURROGATE.test(json) ? json.replace(ESCAPED, (escape) => (escape === '\\\\' ? escape : REPLACEMENT)) : json;
}

function row(dataJson, warnings, fault) {
  return '[' + dataJson + ',' + (warnings.length ? wellFormed(toJson(warnings)) : '[]') + ','
    + (fault ? wellFormed(toJson(fault)) : 'null') + ',' + (logLines.length ? wellFormed(toJson(logLines)) : '[]') + ']';
}

function faultRow(reason, message, stack = '') {
  return row('null', [], [reason, message, stack]);
}

function decode(item) {
  if (authorSource !== null) instantiate();
  const input = { bytes: octets(item[0]), fPort: item[1], recvTime: new RealDate(item[2]), variables: item[5] };
  return convention.call(convention.entry, input);
}

function resultRow(returned) {
  if (isObject(returned) && typeof returned.then === 'function') {
    return faultRow('bad_result', 'the decoder returned a promise: it has to answer at once, without async or await');
  }
  const envelope = asEnvelope(returned);
  bigIntsAsText = false;
  const json = envelope.data === undefined ? 'null' : toJson(envelope.data);
  if (json === undefined) return faultRow('bad_result', 'the decoder returned a ' + typeof envelope.data);
  if (json.length > MAX_DATA_LENGTH) {
    return faultRow('too_large', 'the decoded data is ' + json.length + ' characters of JSON, at most ' + MAX_DATA_LENGTH + ' are kept');
  }
  const warnings = messages(envelope.warnings);
  if (bigIntsAsText) warnings.push('an integer above 2^53 was kept as text');
  const errors = messages(envelope.errors);
  return row(wellFormed(json), warnings, errors.length ? ['script_error', errors.join('; '), ''] : null);
}

function one(item) {
  logLines = [];
  setClock(item[2], item[3], item[4]);
  let returned;
  try {
    returned = decode(item);
  } catch (thrown) {
    return faultRow('exception', messageOf(thrown), stackOf(thrown));
  }
  try {
    return resultRow(returned);
  } catch (thrown) {
    return faultRow('bad_result', messageOf(thrown), stackOf(thrown));
  }
}

// The engine leaves the batch in `inbox` and evaluates `__inflight.run()`: data never becomes part of a source text.
const host = {
  inbox: '',
  adopt,
  adoptFresh,
  run() {
    const rows = [];
    for (const item of parseJson(host.inbox)) {
      rows.push(one(item));
      forgetGlobals();
    }
    host.inbox = '';
    return '[' + rows.join(',') + ']';
  },
};
Object.defineProperty(G, '__inflight', { value: host });
return host;
