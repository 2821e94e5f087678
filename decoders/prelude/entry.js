// The author's script: evaluated as a classic sloppy script, its entry points found by name, and called in its convention.

const FUNCTION_NAMES = [
  'decodeUplink', 'Decode', 'Decoder', 'decoder', 'encodeDownlink', 'Encode', 'Encoder', 'decodeDownlink', 'normalizeUplink',
  'Converter', 'Validator', 'extractPoints', 'migrateState',
];

// Top-level let, const and class are no properties of the global object; only code in the same scope can name them.
const COLLECT = '({' + FUNCTION_NAMES.concat('driver', 'stateVersion').map(
  (name) => name + ': typeof ' + name + ' === "undefined" ? undefined : ' + name).join(', ') + '})';

// The author's function, and how it is called. Each call takes one uplink's input and returns what that function returned.
const CONVENTIONS = {
  ts013: { entry: 'decodeUplink', call: (decode, input) => decode(input) },
  thingpark: { entry: 'decodeUplink', call: (decode, input) => decode(input) },
  chirpstack3: { entry: 'Decode', call: (decode, input) => decode(input.fPort, input.bytes, input.variables) },
  ttn2: { entry: 'Decoder', call: (decode, input) => fieldsOf(convertAndValidate(decode, input)) },
  helium: { entry: 'Decoder', call: (decode, input) => decode(input.bytes, input.fPort, uplinkInfo()) },
  datacake: { entry: 'Decoder', call: (decode, input) => fieldsOf(decode(input.bytes, input.fPort)) },
  qubitro: {
    entry: 'decoder',
    call: (decode, input) => decode({ bytes: input.bytes, fPort: input.fPort, metadata: normalizedPayload() }),
  },
};

let functions = {};
let convention = null; // of CONVENTIONS, with its name
let entryFunction = null;
let stateVersion; // a number where the script asks for a state
let wished = null; // the convention that the author has set, null: it follows from the script
let looksLikeDatacake = false; // the script names globals that only Datacake has
let authorSource = null; // kept where every uplink gets a fresh evaluation of the script

function offerModule() {
  defineHidden(G, 'module', { exports: {} });
  defineHidden(G, 'exports', G.module.exports);
}

defineHidden(G, 'global', G);
defineHidden(G, 'require', function require(name) {
  if (name === 'buffer' || name === 'node:buffer') return { Buffer: G.Buffer, default: { Buffer: G.Buffer } };
  throw new Error("require('" + name + "') is not available: a decoder is one file, so paste the code in or upload the bundle");
});
UNNAMED.push(G.require);

function bind(collected) {
  const exported = G.module && G.module.exports;
  const places = [collected, exported, exported && exported.driver, exported && exported.default, collected.driver, G.exports];
  functions = {};
  stateVersion = typeof collected.stateVersion === 'number' ? collected.stateVersion : undefined;
  for (const place of places) {
    if (!isObject(place) && typeof place !== 'function') continue;
    for (const name of FUNCTION_NAMES) {
      if (!functions[name] && typeof place[name] === 'function') functions[name] = place[name];
    }
  }
  const name = wished || recognised();
  convention = name === null ? null : { name, ...CONVENTIONS[name] };
  entryFunction = convention === null ? null : functions[convention.entry];
}

// By preference where a script has several entry points.
function recognised() {
  if (functions.decodeUplink) return functions.extractPoints ? 'thingpark' : 'ts013';
  if (functions.Decode) return 'chirpstack3';
  if (functions.Decoder) return functions.Decoder.length > 2 ? 'helium' : looksLikeDatacake ? 'datacake' : 'ttn2';
  return functions.decoder ? 'qubitro' : null;
}

// The Things Network V2: what was decoded may be converted, and then refused.
function convertAndValidate(decode, input) {
  let decoded = decode(input.bytes, input.fPort);
  if (functions.Converter) decoded = functions.Converter(decoded, input.fPort);
  if (functions.Validator && functions.Validator(decoded, input.fPort) === false) {
    return { errors: ['the Validator of the script refused the values'] };
  }
  return decoded;
}

// The script has been evaluated as a plain script: find its entry points.
function adopt(hintsText) {
  const hints = takeHints(hintsText);
  bind(evalGlobally(COLLECT));
  freezeModule();
  if (hints.locks) lockBuiltIns(true);
  keepGlobals(hints.hidesGlobals);
  return describeScript();
}

// Evaluate the script anew for every uplink, because it keeps state in top-level variables.
function adoptFresh(hintsText) {
  const hints = takeHints(hintsText);
  authorSource = hints.source + '\n;' + COLLECT + '\n//# sourceURL=decoder.js';
  instantiate();
  if (hints.locks) lockBuiltIns(false);
  keepGlobals(hints.hidesGlobals);
  return describeScript();
}

// Hints are JSON text: {source, convention, datacake, hidesGlobals, locks}.
function takeHints(text) {
  const hints = parseJson(text);
  wished = hints.convention;
  looksLikeDatacake = hints.datacake;
  return hints;
}

function instantiate() {
  emptyDeclared();
  offerModule();
  bind(evalGlobally(authorSource));
}

function describeScript() {
  const names = keysOf(functions).filter((name) => name !== 'decoder' || convention.name === 'qubitro');
  return '{"convention":' + toJson(entryFunction ? convention.name : null) + ',"functions":' + list(names)
    + ',"keepsState":' + (stateVersion !== undefined) + '}';
}

// What a script exports stays as it is, so that nothing can be left there. (One that changes it while it decodes is
// evaluated anew for each uplink.)
function freezeModule() {
  const { module, exports } = G;
  if (!isObject(module)) return;
  for (const part of [module.exports, exports, module]) if (isObject(part) || typeof part === 'function') freeze(part);
}

offerModule();
lockMethods();
watchGlobals();
