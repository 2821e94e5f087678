// The batch as it comes: MessagePack in memory that the worker writes to, an array of contract.Request. A request is read when
// its turn comes, and its device's EUI only if it is asked for.
//
// The worker writes to this memory without asking V8, so a script must never get hold of it: what touches it are indexes and
// pristine functions, no method or getter that a script may have replaced.

let held = new Memory(16384);
let memory = new Octets(held);
let at = 0;

// Memory for a larger batch, of `size` octets; the engine keeps a view of it. 0: what there is.
function memoryOf(size) {
  if (size !== '0') {
    held = new Memory(toNumber(size));
    memory = new Octets(held);
  }
  return held;
}

const doubleOctets = new Octets(8);
const double = new Float64Array(doubleOctets.buffer);

function readDouble() { // most significant octet first; the machine's order is the other way round
  for (let i = 7; i >= 0; i--) doubleOctets[i] = memory[at++];
  return double[0];
}

function readUnsigned16() { at += 2; return (memory[at - 2] << 8) | memory[at - 1]; }
function readUnsigned32() { return readUnsigned16() * 65536 + readUnsigned16(); }

// Numbers up to 2^53 exactly; times in microseconds are below.
function readNumber() {
  const kind = memory[at++];
  if (kind < 0x80) return kind;
  if (kind >= 0xe0) return kind - 256;
  switch (kind) {
    case 0xcc: return memory[at++];
    case 0xcd: return readUnsigned16();
    case 0xce: return readUnsigned32();
    case 0xcf: return readUnsigned32() * 4294967296 + readUnsigned32();
    case 0xd0: return (memory[at++] << 24) >> 24;
    case 0xd1: return (readUnsigned16() << 16) >> 16;
    case 0xd2: return readUnsigned32() | 0;
    case 0xd3: return (readUnsigned32() | 0) * 4294967296 + readUnsigned32();
    case 0xcb: return readDouble();
    default: throw new Error('the batch is damaged: kind ' + kind);
  }
}

// The length of what begins at `at`, which its first octet gives or the one, two or four octets after `shortest`.
function readLength(kind, shortest) {
  if (kind === shortest) return memory[at++];
  return kind === shortest + 1 ? readUnsigned16() : readUnsigned32();
}

function textLength() {
  const kind = memory[at++];
  return kind < 0xc0 ? kind & 31 : readLength(kind, 0xd9);
}

function readText() {
  const end = textLength() + at;
  let text = '';
  for (let i = at; i < end; i++) {
    const octet = memory[i];
    if (octet > 127) {
      text = bytesToUtf8(memory, at, end);
      break;
    }
    text += fromCharCode(octet);
  }
  at = end;
  return text;
}

function readAny() {
  const kind = memory[at];
  if (kind === 0xc0 || kind === 0xc2 || kind === 0xc3) {
    at++;
    return kind === 0xc0 ? null : kind === 0xc3;
  }
  if ((kind >= 0xa0 && kind < 0xc0) || (kind >= 0xd9 && kind <= 0xdb)) return readText();
  if ((kind >= 0x90 && kind < 0xa0) || kind === 0xdc || kind === 0xdd) return readList();
  return (kind >= 0x80 && kind < 0x90) || kind === 0xde || kind === 0xdf ? readMap() : readNumber();
}

function readList() {
  const kind = memory[at++];
  let count = kind < 0xa0 ? kind & 15 : kind === 0xdc ? readUnsigned16() : readUnsigned32();
  const list = [];
  for (; count > 0; count--) list.push(readAny());
  return list;
}

function readMap() {
  const kind = memory[at++];
  let count = kind < 0x90 ? kind & 15 : kind === 0xde ? readUnsigned16() : readUnsigned32();
  const map = {};
  for (; count > 0; count--) {
    const key = readText();
    const value = readAny();
    if (key === '__proto__') define(map, key, { value, enumerable: true, configurable: true, writable: true });
    else map[key] = value;
  }
  return map;
}

// A real, new Array per call: authors push, splice and reverse it.
function readOctets() {
  const kind = memory[at++];
  const end = readLength(kind, 0xc4) + at;
  const bytes = [];
  for (; at < end; at++) bytes.push(memory[at]);
  return bytes;
}

// How many requests follow.
function openBatch() {
  at = 0;
  const kind = memory[at++];
  return kind < 0xa0 ? kind & 15 : kind === 0xdc ? readUnsigned16() : readUnsigned32();
}

// The uplink in work, as far as it has been read.
const current = {
  bytes: null, fPort: 0, receivedMs: 0, euiAt: 0, fCnt: 0, variables: null, context: null, state: null,
};

function readRequest() {
  at++; // an array of eight, as contract.Request is
  current.bytes = readOctets();
  current.fPort = readNumber();
  current.receivedMs = Math.floor(readNumber() / 1000);
  current.euiAt = at;
  at = textLength() + at;
  current.fCnt = readNumber();
  current.variables = readMap();
  current.context = memory[at] === 0xc0 ? (at++, null) : readList();
  current.state = memory[at] === 0xc0 ? (at++, null) : readText();
}

function devEui() {
  const next = at;
  at = current.euiAt;
  const eui = readText();
  at = next;
  return eui;
}
