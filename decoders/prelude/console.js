// console: what the author prints while one uplink is decoded, at most 100 lines of 1,000 characters.

const MAX_LOG_LINES = 100;
const MAX_LOG_LENGTH = 1000;

let logLines = [];

function printable(value) {
  if (typeof value === 'string') return value;
  try {
    if (value instanceof RealError) return Text(value);
    const json = toJson(value);
    return json === undefined ? Text(value) : json;
  } catch (error) {
    return kindOf(value);
  }
}

function kindOf(value) {
  try {
    return nameOfKind(value);
  } catch (error) { // a proxy may throw whatever it is asked
    return '[object Proxy]';
  }
}

function printer(prefix) {
  return function (...values) {
    if (logLines.length >= MAX_LOG_LINES) return;
    logLines.push((prefix + values.map(printable).join(' ')).slice(0, MAX_LOG_LENGTH));
  };
}

function ignore() {}

defineHidden(G, 'console', {
  log: printer(''), info: printer(''), debug: printer(''), table: printer(''), dir: printer(''), trace: printer(''),
  warn: printer('warn: '), error: printer('error: '),
  assert: ignore, time: ignore, timeEnd: ignore, group: ignore, groupEnd: ignore,
});
