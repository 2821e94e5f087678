// One batch: requests in the inbox, JSON text of one row per request out:
// [data, warnings, [reason, message, stack] or null, console lines, state or null, normalised data].

const MAX_DATA_LENGTH = 65536; // characters of JSON
const MAX_MESSAGE_LENGTH = 500;
const MAX_STACK_LENGTH = 2000;
const MAX_WARNINGS = 100;

const LONE_SURROGATE = /\\ud[89a-f]/i; // JSON.stringify escapes surrogates only where they are unpaired
const NOTHING = /(?:)/;
const ESCAPED = /\\\\|\\ud[89a-f][0-9a-f]{2}/gi;

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

// One text after the other, for a script may have given Array.prototype a toJSON.
function list(texts) {
  let json = '';
  for (let i = 0; i < texts.length; i++) json += (i ? ',' : '') + wellFormed(toJson(Text(texts[i])));
  return '[' + json + ']';
}

function row(dataJson, warnings, fault, stateText, normalizedJson) {
  return '[' + dataJson + ',' + list(warnings) + ',' + (fault ? list(fault) : 'null') + ',' + list(logLines) + ','
    + (stateText === undefined ? 'null' : wellFormed(toJson(stateText))) + ',' + (normalizedJson || 'null') + ']';
}

function faultRow(reason, message, stack = '') {
  return row('null', [], [reason, message, stack]);
}

// JSON text of data; a text that begins with * is the reason why there is none.
function dataJson(data) {
  const json = data === undefined ? 'null' : toJson(data);
  if (json === undefined) return '*bad_result the decoder returned a ' + typeof data;
  if (json.length > MAX_DATA_LENGTH) {
    return '*too_large the decoded data is ' + json.length + ' characters of JSON, at most ' + MAX_DATA_LENGTH + ' are kept';
  }
  return wellFormed(json);
}

function refusedRow(text) {
  const space = text.indexOf(' ');
  return faultRow(text.slice(1, space), text.slice(space + 1));
}

function resultRow(returned) {
  if (isObject(returned) && typeof returned.then === 'function') {
    return faultRow('bad_result', 'the decoder returned a promise: it has to answer at once, without async or await');
  }
  const envelope = asEnvelope(returned);
  bigIntsAsText = false;
  const json = dataJson(envelope.data);
  if (json[0] === '*') return refusedRow(json);
  const warnings = messages(envelope.warnings);
  if (bigIntsAsText) warnings.push('an integer above 2^53 was kept as text');
  const errors = messages(envelope.errors);
  if (errors.length) return row(json, warnings, ['script_error', errors.join('; '), '']);
  const normalized = functions.normalizeUplink ? normalize(envelope, warnings) : undefined;
  return row(json, warnings, null, closeState(stateVersion), normalized);
}

// The Things Stack: what normalizeUplink makes of decoded data comes in addition; its failure is a warning.
function normalize(envelope, warnings) {
  try {
    const normalized = asEnvelope(functions.normalizeUplink({ data: envelope.data }));
    for (const text of messages(normalized.errors)) warnings.push('normalizeUplink: ' + text);
    for (const text of messages(normalized.warnings)) warnings.push(text);
    if (messages(normalized.errors).length || !isObject(normalized.data)) return undefined;
    const json = dataJson(normalized.data);
    if (json[0] !== '*') return json;
    warnings.push('normalizeUplink: ' + json.slice(1));
  } catch (thrown) {
    warnings.push('normalizeUplink: ' + messageOf(thrown));
  }
  return undefined;
}

function decodeUplink() {
  const input = new Input(current.bytes, current.fPort, new RealDate(current.receivedMs), current.variables);
  openState(current.state, stateVersion, functions.migrateState);
  return convention.call(entryFunction, input);
}

function decodeDownlink() {
  if (!functions.decodeDownlink) throw new Error('the script has no decodeDownlink function');
  return functions.decodeDownlink(new Input(current.bytes, current.fPort, new RealDate(current.receivedMs), current.variables));
}

// Some encoders look for what is in the data beside it, as input.command: it is found there, unseen by others.
function besideData(data, input) {
  const hidden = {};
  if (isObject(data)) for (const name of keysOf(data)) defineHidden(hidden, name, data[name]);
  setPrototype(input, hidden);
  return input;
}

function encodeDownlink() {
  const data = parseJson(bytesToUtf8(current.bytes));
  const { fPort, variables } = current;
  if (functions.encodeDownlink) {
    const input = convention && convention.name === 'thingpark' ? data : besideData(data, { data, fPort, variables });
    return asDownlink(functions.encodeDownlink(input), fPort);
  }
  if (functions.Encode) return asDownlink(functions.Encode(fPort, data, variables), fPort);
  if (functions.Encoder) return asDownlink(functions.Encoder(data, fPort), fPort);
  throw new Error('the script has no encodeDownlink, Encode or Encoder function');
}

function one(work) {
  readRequest();
  const next = at;
  logLines = [];
  matchNothing(NOTHING, ''); // RegExp.$1 and RegExp.input would tell what the last uplink's matches were
  setClock(current.receivedMs);
  let text;
  try {
    if (authorSource !== null) instantiate();
    const returned = work();
    try {
      text = resultRow(returned);
    } catch (thrown) {
      text = faultRow('bad_result', messageOf(thrown), stackOf(thrown));
    }
  } catch (thrown) {
    text = faultRow('exception', messageOf(thrown), stackOf(thrown));
  }
  at = next;
  return text;
}

function runBatch(work) {
  let count = openBatch();
  let text = '[';
  for (; count > 0; count--) {
    text += one(work) + (count > 1 ? ',' : '');
    if (authorSource !== null) restoreBuiltIns();
    forgetGlobals(count === 1);
  }
  return text + ']';
}

// The engine holds these and calls them; a script has no way to them.
return {
  memoryOf,
  adopt,
  adoptFresh,
  uplink: () => runBatch(decodeUplink),
  encode: () => runBatch(encodeDownlink),
  downlink: () => runBatch(decodeDownlink),
};
