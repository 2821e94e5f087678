// Buffer, as far as decoders use Node's: construction, conversion, slices and the read and write methods.

const HEX_PAIR = /^[0-9a-f]{2}$/i;

function hexToBytes(text) { // stops at the first pair that is not hexadecimal, as Node does
  const bytes = [];
  for (let i = 0; i + 1 < text.length; i += 2) {
    const pair = text.substr(i, 2);
    if (!HEX_PAIR.test(pair)) break;
    bytes.push(parseInt(pair, 16));
  }
  return bytes;
}

function bytesToHex(bytes) {
  let text = '';
  for (let i = 0; i < bytes.length; i++) text += (bytes[i] < 16 ? '0' : '') + bytes[i].toString(16);
  return text;
}

const ENCODERS = {
  hex: hexToBytes, base64: base64ToBytes, base64url: base64ToBytes,
  ascii: latin1ToBytes, latin1: latin1ToBytes, binary: latin1ToBytes,
};
const DECODERS = {
  hex: bytesToHex, base64: bytesToBase64, latin1: bytesToLatin1, binary: bytesToLatin1,
  base64url: (bytes) => bytesToBase64(bytes).replace(/\+/g, '-').replace(/\//g, '_').replace(/=/g, ''),
  ascii: (bytes) => bytesToLatin1(bytes.map((byte) => byte & 127)),
};

function encodingName(encoding) {
  return Text(encoding || 'utf8').toLowerCase();
}

class OctetBuffer extends Uint8Array {
  static from(source, encodingOrOffset, length) {
    if (typeof source === 'string') {
      return new OctetBuffer((ENCODERS[encodingName(encodingOrOffset)] || utf8ToBytes)(source));
    }
    if (source instanceof ArrayBuffer) return new OctetBuffer(source, encodingOrOffset, length);
    return new OctetBuffer(isObject(source) && source.type === 'Buffer' ? source.data : Array.from(source));
  }
  static alloc(size, fill = 0) { return new OctetBuffer(size).fill(fill); }
  static allocUnsafe(size) { return new OctetBuffer(size); }
  static isBuffer(value) { return value instanceof OctetBuffer; }
  static byteLength(text, encoding) { return OctetBuffer.from(text, encoding).length; }
  static concat(list) { return OctetBuffer.from(list.flatMap((part) => Array.from(part))); }

  toString(encoding, start = 0, end = this.length) {
    return (DECODERS[encodingName(encoding)] || bytesToUtf8)(this.subarray(start, end));
  }
  slice(start, end) { return this.subarray(start, end); } // shares memory, as Node's does
  toJSON() { return { type: 'Buffer', data: Array.from(this) }; }
  equals(other) { return this.length === other.length && this.every((byte, i) => byte === other[i]); }
  copy(target, targetStart = 0, start = 0, end = this.length) {
    const part = this.subarray(start, end).subarray(0, target.length - targetStart);
    target.set(part, targetStart);
    return part.length;
  }
  write(text, offset = 0, length = this.length, encoding = 'utf8') {
    if (typeof offset === 'string') return this.write(text, 0, this.length, offset);
    if (typeof length === 'string') return this.write(text, offset, this.length, length);
    const part = OctetBuffer.from(text, encoding).subarray(0, Math.min(length, this.length - offset));
    this.set(part, offset);
    return part.length;
  }

  readUIntBE(offset = 0, size) { return readUnsigned(this, offset, size, bigEndian); }
  readUIntLE(offset = 0, size) { return readUnsigned(this, offset, size, littleEndian); }
  readIntBE(offset = 0, size) { return asSigned(this.readUIntBE(offset, size), size); }
  readIntLE(offset = 0, size) { return asSigned(this.readUIntLE(offset, size), size); }
  writeUIntBE(value, offset = 0, size) { return writeUnsigned(this, value, offset, size, bigEndian); }
  writeUIntLE(value, offset = 0, size) { return writeUnsigned(this, value, offset, size, littleEndian); }
  writeIntBE(value, offset = 0, size) { return this.writeUIntBE(value < 0 ? value + 256 ** size : value, offset, size); }
  writeIntLE(value, offset = 0, size) { return this.writeUIntLE(value < 0 ? value + 256 ** size : value, offset, size); }
  swap16() {
    for (let i = 0; i + 1 < this.length; i += 2) [this[i], this[i + 1]] = [this[i + 1], this[i]];
    return this;
  }
}

// Position of the octet with the given weight (0 is the least significant).
function bigEndian(offset, size, weight) { return offset + size - 1 - weight; }
function littleEndian(offset, size, weight) { return offset + weight; }

function requireRange(buffer, offset, size) {
  if (typeof offset === 'number' && offset >= 0 && offset + size <= buffer.length) return;
  const error = new RangeError(
    'The value of "offset" is out of range. It must be >= 0 and <= ' + (buffer.length - size) + '. Received ' + Text(offset));
  error.code = 'ERR_OUT_OF_RANGE';
  throw error;
}

function readUnsigned(buffer, offset, size, position) {
  requireRange(buffer, offset, size);
  let value = 0;
  for (let weight = size - 1; weight >= 0; weight--) value = value * 256 + buffer[position(offset, size, weight)];
  return value;
}

function asSigned(value, size) {
  return value >= 256 ** size / 2 ? value - 256 ** size : value;
}

function writeUnsigned(buffer, value, offset, size, position) {
  requireRange(buffer, offset, size);
  let rest = value;
  for (let weight = 0; weight < size; weight++) {
    buffer[position(offset, size, weight)] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return offset + size;
}

// readUInt16BE and the like; Node spells them with Uint too.
for (const size of [1, 2, 4]) {
  for (const order of ['BE', 'LE']) {
    const suffix = size === 1 ? '8' : size * 8 + order;
    for (const [spelling, kind] of [['UInt', 'UInt'], ['Uint', 'UInt'], ['Int', 'Int']]) {
      defineHidden(OctetBuffer.prototype, 'read' + spelling + suffix, function (offset = 0) {
        return this['read' + kind + order](offset, size);
      });
      defineHidden(OctetBuffer.prototype, 'write' + spelling + suffix, function (value, offset = 0) {
        return this['write' + kind + order](value, offset, size);
      });
    }
  }
}

// readFloatBE and the like, through DataView.
for (const [name, viewName, size] of [
  ['Float', 'Float32', 4], ['Double', 'Float64', 8], ['BigInt64', 'BigInt64', 8], ['BigUInt64', 'BigUint64', 8],
]) {
  for (const order of ['BE', 'LE']) {
    const little = order === 'LE';
    defineHidden(OctetBuffer.prototype, 'read' + name + order, function (offset = 0) {
      requireRange(this, offset, size);
      return new DataView(this.buffer, this.byteOffset)['get' + viewName](offset, little);
    });
    defineHidden(OctetBuffer.prototype, 'write' + name + order, function (value, offset = 0) {
      requireRange(this, offset, size);
      new DataView(this.buffer, this.byteOffset)['set' + viewName](offset, value, little);
      return offset + size;
    });
  }
}

// `Buffer(x)` and `new Buffer(x)` are both in use.
function BufferFunction(source, encodingOrOffset, length) {
  return typeof source === 'number' ? OctetBuffer.alloc(source) : OctetBuffer.from(source, encodingOrOffset, length);
}
BufferFunction.prototype = OctetBuffer.prototype;
for (const name of ['from', 'alloc', 'allocUnsafe', 'isBuffer', 'byteLength', 'concat']) {
  BufferFunction[name] = OctetBuffer[name];
}
defineHidden(G, 'Buffer', BufferFunction);
