// Clock and chance: "now" is the moment the uplink was received and Math.random is seeded from the device and its counter,
// so that decoding a stored uplink again gives the same answer.

let nowMs = 0;
let randomState = null; // 32 bits, drawn from the uplink at the first use

function VirtualDate(...parts) {
  if (!new.target) return new RealDate(nowMs).toString();
  return Reflect.construct(RealDate, parts.length === 0 ? [nowMs] : parts, new.target);
}
define(VirtualDate, 'name', { value: 'Date' });
define(VirtualDate, 'length', { value: 7 });
VirtualDate.prototype = RealDate.prototype;
defineHidden(RealDate.prototype, 'constructor', VirtualDate);
defineHidden(VirtualDate, 'now', function now() { return nowMs; });
defineHidden(VirtualDate, 'parse', RealDate.parse);
defineHidden(VirtualDate, 'UTC', RealDate.UTC);
defineHidden(G, 'Date', VirtualDate);

function hash(text) { // FNV-1a, 32 bits
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value;
}

defineHidden(Math, 'random', function random() { // mulberry32
  if (randomState === null) randomState = hash(devEui() + '/' + current.fCnt);
  randomState = (randomState + 0x6d2b79f5) | 0;
  let mixed = Math.imul(randomState ^ (randomState >>> 15), 1 | randomState);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
});

function setClock(receivedMs) {
  nowMs = receivedMs;
  randomState = null;
}
