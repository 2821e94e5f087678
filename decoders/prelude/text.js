// Base64 and text encodings: atob, btoa, TextEncoder, TextDecoder, which V8 alone does not have.

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const REPLACEMENT = '\ufffd';

function base64ToBytes(text) {
  const clean = Text(text).replace(/[\s=]/g, '').replace(/-/g, '+').replace(/_/g, '/');
  const bytes = [];
  let bits = 0;
  let held = 0;
  for (let i = 0; i < clean.length; i++) {
    const digit = BASE64.indexOf(clean[i]);
    if (digit < 0) throw new Error('invalid base64 character ' + clean[i]);
    bits = ((bits << 6) | digit) & 0xffffff;
    held += 6;
    if (held >= 8) {
      held -= 8;
      bytes.push((bits >> held) & 255);
    }
  }
  return bytes;
}

function bytesToBase64(bytes) {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const group = (bytes[i] << 16) | ((bytes[i + 1] || 0) << 8) | (bytes[i + 2] || 0);
    text += BASE64[group >> 18] + BASE64[(group >> 12) & 63];
    text += i + 1 < bytes.length ? BASE64[(group >> 6) & 63] : '=';
    text += i + 2 < bytes.length ? BASE64[group & 63] : '=';
  }
  return text;
}

function utf8ToBytes(text) {
  const escaped = encodeURIComponent(Text(text).toWellFormed());
  const bytes = [];
  for (let i = 0; i < escaped.length; i++) {
    if (escaped[i] === '%') {
      bytes.push(parseInt(escaped.substr(i + 1, 2), 16));
      i += 2;
    } else {
      bytes.push(escaped.charCodeAt(i));
    }
  }
  return bytes;
}

// Number of continuation bytes a UTF-8 lead byte asks for; -1 where it cannot lead.
function continuationBytes(lead) {
  if (lead < 0x80) return 0;
  if (lead >= 0xc2 && lead < 0xe0) return 1;
  if (lead >= 0xe0 && lead < 0xf0) return 2;
  return lead >= 0xf0 && lead < 0xf5 ? 3 : -1;
}

const SMALLEST_CODE_POINT = [0, 0x80, 0x800, 0x10000]; // by number of continuation bytes: anything below is overlong

function bytesToUtf8(bytes, start = 0, end = bytes.length) {
  let text = '';
  let i = start;
  while (i < end) {
    const lead = bytes[i++];
    const wanted = continuationBytes(lead);
    let codePoint = wanted > 0 ? lead & (63 >> wanted) : lead;
    let got = 0;
    while (got < wanted && i < end && (bytes[i] & 0xc0) === 0x80) {
      codePoint = (codePoint << 6) | (bytes[i++] & 63);
      got++;
    }
    const surrogate = codePoint >= 0xd800 && codePoint < 0xe000;
    const valid = got === wanted && codePoint >= SMALLEST_CODE_POINT[wanted] && codePoint < 0x110000 && !surrogate;
    text += valid ? Text.fromCodePoint(codePoint) : REPLACEMENT;
  }
  return text;
}

function latin1ToBytes(text) {
  return Array.from(text, (character) => character.charCodeAt(0) & 255);
}

function bytesToLatin1(bytes) {
  let text = '';
  for (let i = 0; i < bytes.length; i++) text += Text.fromCharCode(bytes[i]);
  return text;
}

function viewOf(source) {
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  return ArrayBuffer.isView(source) ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength) : source;
}

class TextEncoder {
  get encoding() { return 'utf-8'; }
  encode(text = '') { return new Uint8Array(utf8ToBytes(text)); }
}

class TextDecoder {
  constructor(label = 'utf-8') { this.encoding = Text(label).toLowerCase(); }
  decode(source = []) {
    const oneBytePerCharacter = /latin1|8859-1|ascii|1252/.test(this.encoding);
    return oneBytePerCharacter ? bytesToLatin1(viewOf(source)) : bytesToUtf8(viewOf(source));
  }
}

defineHidden(G, 'atob', function atob(text) { return bytesToLatin1(base64ToBytes(text)); });
defineHidden(G, 'btoa', function btoa(text) { return bytesToBase64(latin1ToBytes(Text(text))); });
defineHidden(G, 'TextEncoder', TextEncoder);
defineHidden(G, 'TextDecoder', TextDecoder);
