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

// Engine parts a decoder has no use for: each would let it share memory, wait, or act after it has returned. What was
// declared with `var`, as mini-racer's timers are, cannot be deleted and stays without a value.
for (const name of [
  'WebAssembly', 'SharedArrayBuffer', 'Atomics', 'FinalizationRegistry', 'WeakRef',
  'setTimeout', 'clearTimeout', '__timer_manager',
]) {
  if (!Reflect.deleteProperty(G, name)) G[name] = undefined;
}

function isObject(value) {
  return value !== null && typeof value === 'object';
}

function defineHidden(target, name, value) {
  Object.defineProperty(target, name, { value, writable: true, configurable: true, enumerable: false });
}
