// The parts in this folder are joined, in the order engine.py gives, into the body of one strict function (G) that is called
// once per realm with the global object, before the author's script. This part keeps the built-ins that the prelude itself
// uses, for a script may replace any global.

const RealDate = Date;
const RealError = Error;
const parseJson = JSON.parse;
const toJson = JSON.stringify;
const isArray = Array.isArray;
const keysOf = Object.keys;
const namesOf = Reflect.ownKeys;
const {
  deleteProperty, getOwnPropertyDescriptor: describe, getPrototypeOf: prototypeOf, set: setProperty,
  setPrototypeOf: setPrototype,
} = Reflect;
const define = Object.defineProperty;
const freeze = Object.freeze;
const sameValue = Object.is;
const isInteger = Number.isInteger;
const isView = ArrayBuffer.isView;
const fromCharCode = String.fromCharCode;
const asFunction = Function.prototype.bind.bind(Function.prototype.call); // of a method: its object is the first argument
const nameOfKind = asFunction(Object.prototype.toString);
const matchNothing = asFunction(RegExp.prototype.exec);
const evalGlobally = eval; // called under another name, eval runs sloppy code in the global scope
const Text = String;
const Octets = Uint8Array;
const Memory = ArrayBuffer;
const toNumber = Number;

// Engine parts a decoder has no use for: each would let it share memory, wait, or act after it has returned. What was
// declared with `var`, as mini-racer's timers are, cannot be deleted and stays without a value.
for (const name of [
  'WebAssembly', 'SharedArrayBuffer', 'Atomics', 'FinalizationRegistry', 'WeakRef',
  'setTimeout', 'clearTimeout', '__timer_manager',
]) {
  if (!deleteProperty(G, name)) G[name] = undefined;
}

function isObject(value) {
  return value !== null && typeof value === 'object';
}

function defineHidden(target, name, value) {
  define(target, name, { value, writable: true, configurable: true, enumerable: false });
}

// A property that is made when it is first asked for, and that a script may overwrite with its own.
function defineLazy(target, name, make) {
  define(target, name, {
    get: make,
    set(value) {
      define(this === undefined ? target : this, name, { value, writable: true, configurable: true, enumerable: true });
    },
    configurable: true,
    enumerable: false,
  });
}
