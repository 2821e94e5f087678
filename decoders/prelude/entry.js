// The author's script: evaluated as a classic sloppy script, its entry points found by name, and called in its convention.

const FUNCTION_NAMES = ['decodeUplink', 'Decode', 'Decoder', 'encodeDownlink', 'Encode', 'Encoder', 'decodeDownlink', 'normalizeUplink'];

// Top-level let, const and class are no properties of the global object; only code in the same scope can name them.
const COLLECT = '({' + FUNCTION_NAMES.concat('driver').map(
  (name) => name + ': typeof ' + name + ' === "undefined" ? undefined : ' + name).join(', ') + '})';

// By preference. Each takes one uplink's input and returns what the author's function returned.
const CONVENTIONS = {
  decodeUplink: { name: 'ts013', call: (decode, input) => decode(input) },
  Decode: { name: 'chirpstack3', call: (decode, input) => decode(input.fPort, input.bytes, input.variables) },
  Decoder: { name: 'ttn2', call: (decode, input) => decode(input.bytes, input.fPort) },
};

let functions = {};
let convention = null;
let authorSource = null; // kept where every uplink gets a fresh evaluation of the script
let leavesGlobals = false; // the script may create globals while it decodes
let loadedGlobals = keysOf(G); // enumerable globals that stay from uplink to uplink

function offerModule() {
  defineHidden(G, 'module', { exports: {} });
  defineHidden(G, 'exports', G.module.exports);
}

defineHidden(G, 'require', function require(name) {
  if (name === 'buffer') return { Buffer: G.Buffer };
  throw new Error("require('" + name + "') is not available: a decoder is one file, so paste the code in or upload the bundle");
});

function bind(collected) {
  const exported = G.module && G.module.exports;
  const places = [collected, exported, exported && exported.driver, exported && exported.default, collected.driver, G.exports];
  functions = {};
  for (const place of places) {
    if (!isObject(place) && typeof place !== 'function') continue;
    for (const name of FUNCTION_NAMES) {
      if (!functions[name] && typeof place[name] === 'function') functions[name] = place[name];
    }
  }
  convention = null;
  for (const name of keysOf(CONVENTIONS)) {
    if (convention === null && functions[name]) convention = { ...CONVENTIONS[name], entry: functions[name] };
  }
}

// The script has been evaluated as a plain script: find its entry points.
function adopt(mayLeaveGlobals) {
  bind(evalGlobally(COLLECT));
  leavesGlobals = mayLeaveGlobals;
  loadedGlobals = keysOf(G);
  return describeScript();
}

// Evaluate the script anew for every uplink, because it keeps state in top-level variables.
function adoptFresh(source) {
  leavesGlobals = true;
  authorSource = source + '\n;' + COLLECT + '\n//# sourceURL=decoder.js';
  instantiate();
  return describeScript();
}

function instantiate() {
  offerModule();
  bind(evalGlobally(authorSource));
}

function describeScript() {
  return toJson({ convention: convention && convention.name, functions: keysOf(functions) });
}

// Drop globals that the last uplink left behind, so that the next one, of another device, cannot see
// them. Looking costs 2 us, so it is done only where engine.py has read that the script may do such a thing.
function forgetGlobals() {
  if (!leavesGlobals || keysOf(G).length === loadedGlobals.length) return;
  const loaded = new Set(loadedGlobals);
  for (const name of keysOf(G)) if (!loaded.has(name)) Reflect.deleteProperty(G, name);
}

// What a TS013 function returns; where an author's function returns the bare data, it is put into that form. Data may have
// a field of its own called `data`, `errors` or `warnings`, so a bare list or scalar under these names does not count.
function asEnvelope(value) {
  if (!isObject(value) || isArray(value)) return { data: value };
  if (isObject(value.data) || isArray(value.errors) || isArray(value.warnings)) return value;
  return 'data' in value && keysOf(value).every((key) => key === 'data' || key === 'errors' || key === 'warnings')
    ? value : { data: value };
}

offerModule();
