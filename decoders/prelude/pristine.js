// The parts in this folder are joined, in the order engine.py gives, into the body of one strict function (G) that is called
// once per realm with the global object, before the author's script. This part keeps the built-ins that the prelude itself
// uses, for a script may replace any global.

const RealDate = Date;
const parseJson = JSON.parse;
const toJson = JSON.stringify;
const isArray = Array.isArray;
const keysOf = Object.keys;
const evalGlobally = eval; // called under another name, eval runs sloppy code in the global scope
const Text = String;

// Engine parts a decoder has no use for: each would let it share memory, wait, or act after it has returned.
for (const name of [
  'WebAssembly', 'SharedArrayBuffer', 'Atomics', 'FinalizationRegistry', 'WeakRef',
  'setTimeout', 'clearTimeout', '__timer_manager',
]) {
  delete G[name];
}

// mini-racer declares its timers with `var`, which cannot be deleted.
for (const name of ['setTimeout', 'clearTimeout', '__timer_manager']) {
  if (name in G) G[name] = undefined;
}

function isObject(value) {
  return value !== null && typeof value === 'object';
}

function defineHidden(target, name, value) {
  Object.defineProperty(target, name, { value, writable: true, configurable: true, enumerable: false });
}
