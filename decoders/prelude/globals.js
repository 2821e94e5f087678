// Globals that a decode leaves behind are dropped after it, so that the next one, of another device, cannot see them.
//
// An assignment to a name that the global object does not have asks its prototype, which is a proxy that notes the name. What
// goes round that, as defineProperty does, is found by counting the names: after each uplink where engine.py has read that
// the script may do such a thing, for it costs as much as a decode, else after each batch.

let strays = []; // names of globals that were made since the last uplink
let countsEachTime = false;
let loadedGlobals = null; // names of globals that stay from uplink to uplink
let declared = []; // of these, the names that the script has declared
const ownGlobals = new Set();

const watcher = new Proxy(Object.prototype, {
  set(target, name, value, receiver) {
    if (receiver === G) strays[strays.length] = name;
    return setProperty(target, name, value, receiver);
  },
});

// To be called when the prelude has made its own globals.
function watchGlobals() {
  setPrototype(G, watcher);
  for (const name of namesOf(G)) ownGlobals.add(name);
}

// What there is now stays.
function keepGlobals(mayHide) {
  countsEachTime = mayHide;
  const names = namesOf(G);
  loadedGlobals = new Set(names);
  declared = names.filter((name) => !ownGlobals.has(name));
  strays = [];
}

// Before the script is evaluated again: a variable that it declares without a value would keep the last one's.
function emptyDeclared() {
  for (let i = 0; i < declared.length; i++) setProperty(G, declared[i], undefined);
}

function forgetGlobals(atEnd) {
  for (let i = 0; i < strays.length; i++) deleteProperty(G, strays[i]);
  if (strays.length > 0) strays = [];
  const watched = prototypeOf(G) === watcher;
  if (!watched) setPrototype(G, watcher);
  if (watched && !atEnd && !countsEachTime) return;
  const names = namesOf(G);
  if (names.length === loadedGlobals.size) return;
  for (const name of names) if (!loadedGlobals.has(name)) deleteProperty(G, name);
}
