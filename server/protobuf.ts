/** Protobuf messages, read and written without a library: the host reads a few bytes of it, workers whole tensors as views. */

/** One field of a protobuf message as it lies in the file. */
export interface Field {
  readonly number: number;
  /** A varint, or the bytes of a string, a message, packed numbers or a fixed-size number. */
  readonly value: number | Buffer;
  /** The whole field, key included: to copy it unchanged. */
  readonly raw: Buffer;
}

/**
 * The fields of a message, in their order. Groups, which ONNX does not use, and damaged messages are refused.
 * @throws RangeError when the bytes are no protobuf message
 */
export function fieldsOf(message: Buffer): Field[] {
  const fields: Field[] = [];
  let at = 0;
  /** Exact to 2^53, which is beyond every length; larger values (negative ones) are not needed here. */
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = message.readUInt8(at++);
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  const bytes = (length: number): Buffer => {
    if (at + length > message.length) throw new RangeError(`expected ${length} bytes at ${at}, got ${message.length - at}`);
    return message.subarray(at, (at += length));
  };
  while (at < message.length) {
    const start = at;
    const key = varint();
    const value = readValue(key & 7, varint, bytes);
    fields.push({ number: Math.floor(key / 8), value, raw: message.subarray(start, at) });
  }
  return fields;
}

function readValue(wireType: number, varint: () => number, bytes: (length: number) => Buffer): number | Buffer {
  switch (wireType) {
    case 0:
      return varint();
    case 1:
      return bytes(8);
    case 2:
      return bytes(varint());
    case 5:
      return bytes(4);
    default:
      throw new RangeError(`expected wire type 0, 1, 2 or 5, got ${wireType}`);
  }
}

/** The whole numbers of a repeated field: one by one, or packed into a block. */
export function numbersOf({ value }: Field): number[] {
  if (typeof value === 'number') return [value];
  const numbers: number[] = [];
  let [number, factor] = [0, 1];
  for (const byte of value) {
    number += (byte & 127) * factor;
    factor *= 128;
    if (byte < 128) {
      numbers.push(number);
      [number, factor] = [0, 1];
    }
  }
  return numbers;
}

/** A field that has a length in front: a string or a message. */
export function blockField(number: number, content: Buffer | string): Buffer {
  const body = Buffer.from(content);
  return Buffer.concat([blockHead(number, body.length), body]);
}

export function varintField(number: number, value: number): Buffer {
  return Buffer.concat([varintBytes(number * 8), varintBytes(value)]);
}

const varintBytes = (value: number): Buffer => packVarints([value]);

/** The bytes behind a field's key: of a varint, or what has a length in front. */
export function contentOf({ value, raw }: Field): Buffer {
  if (typeof value !== 'number') return value;
  return raw.subarray(raw.findIndex((byte) => byte < 128) + 1);
}

/** How many varints there are: each ends with a byte below 128. */
export function countVarints(bytes: Buffer): number {
  let count = 0;
  for (const byte of bytes) if (byte < 128) count++;
  return count;
}

/**
 * Reads varints one after another as 64 bits, in two halves.
 * @throws RangeError when the last one is cut off
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
    shift += 7;
    if (byte >= 128) continue;
    take(low >>> 0, high >>> 0, index++);
    [low, high, shift] = [0, 0, 0];
  }
  if (shift > 0) throw new RangeError('expected a whole varint, got one that is cut off');
}

/** Whole numbers, one after another, as protobuf packs them: negative ones as 64 bits. */
export function packVarints(values: ArrayLike<number | bigint>): Buffer {
  const bytes: number[] = [];
  for (let index = 0; index < values.length; index++) {
    const value = values[index] ?? 0;
    if (typeof value === 'number' && value >= 0) {
      let rest = value;
      for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
      bytes.push(rest);
    } else {
      let rest = BigInt.asUintN(64, BigInt(value));
      for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
      bytes.push(Number(rest));
    }
  }
  return Buffer.from(bytes);
}

/** What stands before content that has a length in front, so that the content itself need not be copied. */
export function blockHead(number: number, length: number): Buffer {
  return Buffer.concat([varintBytes(number * 8 + 2), varintBytes(length)]);
}
