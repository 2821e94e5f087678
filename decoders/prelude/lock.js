// Built-ins locked once the author's script has been loaded: until then it may add to them and replace them, as polyfills do;
// afterwards a decode can leave nothing in them for the next one, of another device, to find.

// What a script may well assign to an object of its own although a built-in prototype has the name: stays assignable there.
const OVERRIDDEN = new Set([Object.prototype, Function.prototype, ...[
  Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError,
].map((kind) => kind.prototype)]);

const BUILT_INS = namesOf(G).filter((name) => !['module', 'exports', 'globalThis', 'global'].includes(name));
const UNNAMED = [
  function* () {}, (function* () {}).prototype, async function () {}, async function* () {}, (async function* () {}).prototype,
  [][Symbol.iterator](), new Map()[Symbol.iterator](), new Set()[Symbol.iterator](), ''[Symbol.iterator](), 'a'.matchAll(/a/g),
  [].values().map(String), Iterator.from({ next() {} }), new Intl.Segmenter().segment(''),
  new Intl.Segmenter().segment('')[Symbol.iterator](),
].map(Object.getPrototypeOf);

const lockedObjects = new WeakSet();
let valuesOfBuiltIns = null; // where the global names themselves cannot be locked

// Without `names`, what the global names stand for is only put back after each uplink: a script that is evaluated again
// has to be able to declare functions of such a name again.
function lockBuiltIns(names) {
  valuesOfBuiltIns = names ? null : BUILT_INS.map((name) => [name, G[name]]);
  const waiting = [...UNNAMED, Input.prototype, G.require];
  for (const name of BUILT_INS) {
    const found = describe(G, name);
    if (found === undefined || !('value' in found)) continue;
    waiting.push(found.value);
    if (names && found.configurable) define(G, name, { writable: false, configurable: false });
  }
  eachReachable(waiting, lockedObjects, lock);
}

// Nine of ten objects are methods. They are locked before the script is there, when there is time: what is assigned to is
// what has them. The others are gone through then, for they have to wait.
function lockMethods() {
  const waiting = [...UNNAMED, Input.prototype];
  for (const name of BUILT_INS) waiting.push(G[name]);
  eachReachable(waiting, new Set(), (target, found) => {
    if (isMethod(target)) {
      lockedObjects.add(target);
      freeze(target);
    }
    addMembers(target, found);
  });
}

function isMethod(target) {
  return typeof target === 'function' && namesOf(target).length === 2; // name and length
}

function eachReachable(waiting, seen, visit) {
  while (waiting.length > 0) {
    const next = waiting.pop();
    if ((isObject(next) || typeof next === 'function') && next !== G && !seen.has(next)) {
      seen.add(next);
      visit(next, waiting);
    }
  }
}

function addMembers(target, waiting) {
  waiting.push(prototypeOf(target));
  for (const name of namesOf(target)) {
    const found = describe(target, name);
    if ('value' in found) waiting.push(found.value);
    else waiting.push(found.get, found.set);
  }
}

function restoreBuiltIns() {
  if (valuesOfBuiltIns === null) return;
  for (const [name, value] of valuesOfBuiltIns) if (!sameValue(G[name], value)) G[name] = value;
}

function lock(target, waiting) {
  addMembers(target, waiting);
  if (OVERRIDDEN.has(target)) {
    for (const name of namesOf(target)) {
      const found = describe(target, name);
      if ('value' in found && found.configurable) keepAssignable(target, name, found.value);
    }
  }
  freeze(target);
}

function keepAssignable(target, name, value) {
  define(target, name, {
    get: () => value,
    set(own) {
      if (this !== target && (isObject(this) || typeof this === 'function')) {
        define(this, name, { value: own, writable: true, configurable: true, enumerable: true });
      }
    },
    enumerable: false,
    configurable: false,
  });
}

// A polyfill that is evaluated again defines what is there already: that is no error.
for (const owner of [Object, Reflect]) {
  const original = owner.defineProperty;
  defineHidden(owner, 'defineProperty', function defineProperty(target, name, descriptor) {
    if (valuesOfBuiltIns !== null && lockedObjects.has(target)) return owner === Object ? target : true;
    return original(target, name, descriptor);
  });
}
