/**
 * Reads and writes protobuf messages without a library. The host reads a few bytes of a message,
 * workers read whole tensors as views.
 */

/** One field of a protobuf message as it stands in the file. */
export interface Field {
  readonly number: number;
  /** A varint, or the bytes of a string, a message, packed numbers or a fixed-size number. */
  readonly value: number | Buffer;
  /** The whole field with its key, for an unchanged copy. */
  readonly raw: Buffer;
}

/** Most bytes of a varint: 64 bits in groups of seven. */
const LONGEST_VARINT = 10;

/**
 * Walks through a message without an object for each field, because a client chooses the number of
 * fields, and two bytes are one. Refuses damaged messages and groups, which neither ONNX nor this
 * server's services use.
 */
export class FieldReader {
  readonly bytes: Buffer;
  readonly #end: number;
  /** Number of the field that `next` found. */
  number = 0;
  /** Offset of the field, with its key. */
  start = 0;
  /** Offset of its content: a varint, or a block without its length. */
  from = 0;
  /** End of its content and of the field. */
  to = 0;
  /** True if the content is a varint, false if it is bytes. */
  isVarint = false;
  /** The value if `isVarint`, exact to 2^53. */
  value = 0;
  #left: number;

  /**
   * @param most highest number of fields
   * @param from offset of the message, for one inside another
   * @param end offset behind the message; beyond the bytes where only heads of fields are read
   */
  constructor(bytes: Buffer, most = Infinity, from = 0, end = bytes.length) {
    this.bytes = bytes;
    this.#left = most;
    this.to = from;
    this.#end = end;
  }

  /**
   * Goes to the next field. Returns false at the end.
   * @throws RangeError if the bytes are no protobuf message, or have too many fields
   */
  next(): boolean {
    if (this.to >= this.#end) return false;
    if (--this.#left < 0) throw new RangeError('expected fewer fields');
    this.start = this.to;
    const key = this.#varint();
    this.number = Math.floor(key / 8);
    if (key < 8 || key > 0xffff_ffff) throw new RangeError(`expected the number of a field at ${this.start}, got ${this.number}`);
    this.from = this.to;
    const wireType = key % 8;
    this.isVarint = wireType === 0;
    if (wireType === 0) this.value = this.#varint();
    else if (wireType === 1) this.#skip(8);
    else if (wireType === 2) this.#block();
    else if (wireType === 5) this.#skip(4);
    else throw new RangeError(`expected wire type 0, 1, 2 or 5, got ${wireType}`);
    return true;
  }

  /** True if the content is a block: a string, a message or packed numbers. */
  get isBlock(): boolean {
    return ((this.bytes[this.start] ?? 0) & 7) === 2;
  }

  /** The content of the field as a view: the bytes of a varint or of a block. */
  get content(): Buffer {
    return this.bytes.subarray(this.from, this.to);
  }

  #block(): void {
    const length = this.#varint();
    this.from = this.to;
    this.#skip(length);
  }

  #skip(length: number): void {
    if (length > this.#end - this.to) throw new RangeError(`expected ${length} bytes at ${this.to}, got ${this.#end - this.to}`);
    this.to += length;
  }

  /**
   * Exact to 2^53, beyond every length. Callers read larger and negative values from the content.
   */
  #varint(): number {
    let value = 0;
    let factor = 1;
    for (let count = 0; count < LONGEST_VARINT; count++) {
      const byte = this.bytes[this.to];
      if (byte === undefined) throw new RangeError(`expected a whole varint at ${this.to}, got the end`);
      this.to++;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
      factor *= 128;
    }
    throw tooLong();
  }
}

const tooLong = (): RangeError => new RangeError(`expected a varint of at most ${LONGEST_VARINT} bytes, got a longer one`);

/**
 * The fields of a message in their order, an object for each. Only for messages of the operator.
 * @throws RangeError if the bytes are no protobuf message
 */
export function fieldsOf(message: Buffer): Field[] {
  const fields: Field[] = [];
  const reader = new FieldReader(message);
  while (reader.next()) {
    const { number, isVarint, value, start, to } = reader;
    fields.push({ number, value: isVarint ? value : reader.content, raw: message.subarray(start, to) });
  }
  return fields;
}

/**
 * The whole numbers of a repeated field, packed into a block or not.
 * @throws RangeError if they are damaged
 */
export function numbersOf({ value }: Field): number[] {
  if (typeof value === 'number') return [value];
  const numbers: number[] = [];
  readVarints(value, (low, high) => numbers.push(high * 2 ** 32 + low));
  return numbers;
}

/** A field with its length in front: a string or a message. */
export function blockField(number: number, content: Buffer | string): Buffer {
  const body = Buffer.from(content);
  return Buffer.concat([blockHead(number, body.length), body]);
}

export function varintField(number: number, value: number): Buffer {
  return packVarints([number * 8, value]);
}

/** Number of varints: each ends with a byte below 128. */
export function countVarints(bytes: Buffer): number {
  let count = 0;
  for (const byte of bytes) if (byte < 128) count++;
  return count;
}

/**
 * Reads varints one after another as 64 bits, in two halves.
 * @throws RangeError if one is too long, or the last one is cut off
 */
export function readVarints(bytes: Buffer, take: (low: number, high: number, index: number) => void): void {
  let [low, high, shift, index] = [0, 0, 0, 0];
  for (const byte of bytes) {
    const bits = byte & 127;
    if (shift < 28) low |= bits << shift;
    else if (shift === 28) {
      low |= bits << 28;
      high |= bits >> 4;
    } else if (shift < 64) high |= bits << (shift - 32);
    else throw tooLong();
    shift += 7;
    if (byte >= 128) continue;
    take(low >>> 0, high >>> 0, index++);
    [low, high, shift] = [0, 0, 0];
  }
  if (shift > 0) throw new RangeError('expected a whole varint, got one that is cut off');
}

/** Packs whole numbers as protobuf does: negative ones as 64 bits. */
export function packVarints(values: ArrayLike<number | bigint>): Buffer {
  let length = 0;
  eachHalves(values, (low, high) => (length += varintLength(low, high)));
  const bytes = Buffer.allocUnsafe(length);
  let at = 0;
  eachHalves(values, (low, high) => (at = writeVarint(bytes, at, low, high)));
  return bytes;
}

/** Walks through numbers as 64 bits, in two halves of 32 bits without a sign. */
function eachHalves(values: ArrayLike<number | bigint>, take: (low: number, high: number) => void): void {
  if (values instanceof BigInt64Array || values instanceof BigUint64Array) {
    // Little-endian, as every platform of ONNX Runtime is. A bigint for each element would take
    // four times as long.
    const halves = new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
    for (let at = 0; at < halves.length; at += 2) take(halves[at] ?? 0, halves[at + 1] ?? 0);
    return;
  }
  for (let index = 0; index < values.length; index++) {
    const value = values[index] ?? 0;
    if (typeof value === 'number') take(value >>> 0, Math.floor(value / 2 ** 32) >>> 0);
    else take(Number(BigInt.asUintN(32, value)), Number(BigInt.asUintN(32, value >> 32n)));
  }
}

function varintLength(low: number, high: number): number {
  const bits = high > 0 ? 64 - Math.clz32(high) : 32 - Math.clz32(low);
  return Math.max(Math.ceil(bits / 7), 1);
}

function writeVarint(bytes: Buffer, at: number, low: number, high: number): number {
  while (high > 0 || low > 127) {
    bytes[at++] = (low & 127) | 128;
    low = ((low >>> 7) | (high << 25)) >>> 0;
    high >>>= 7;
  }
  bytes[at++] = low;
  return at;
}

/** Key and length of a field, so that its content need not be copied. */
export function blockHead(number: number, length: number): Buffer {
  return packVarints([number * 8 + 2, length]);
}
