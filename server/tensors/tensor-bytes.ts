import { isUtf8 } from 'node:buffer';
import type { Dtype, Tensor, TensorData } from '../entry-script.ts';
import { misfit, sizeOf } from './infer-request.ts';

type Fixed = Exclude<Dtype, 'string'>;

/** The class that holds the bytes of a dtype: little-endian, as every platform of ONNX Runtime is. */
export const arrays = {
  bool: Uint8Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  float16: Uint16Array,
  float32: Float32Array,
  float64: Float64Array,
} as const satisfies Record<Fixed, unknown>;

/** One read of the pipe: a smaller buffer may hold other requests too, which a script must not find behind a tensor. */
const LARGEST_READ = 64 * 1024;

/**
 * A tensor's data from its binary form: reference/open-inference-protocol.md, section 4. A view of the bytes where nothing else is in
 * their buffer and their place in memory allows it, else a copy.
 * @throws ServerError invalid_input
 */
export function fromBytes(name: string, type: Dtype, dims: readonly number[], bytes: Buffer): TensorData {
  const size = sizeOf(dims);
  if (type === 'string') return strings(name, bytes, size);
  const Class = arrays[type];
  const expected = size * Class.BYTES_PER_ELEMENT;
  if (bytes.length !== expected)
    throw misfit(`input ${name}`, `${expected} bytes for the shape [${dims.join(',')}] of its datatype`, String(bytes.length));
  const own = bytes.buffer.byteLength > LARGEST_READ && bytes.byteOffset % Class.BYTES_PER_ELEMENT === 0 ? bytes : new Uint8Array(bytes);
  // What a socket or a copy gives is never shared memory.
  const data = new Class(own.buffer as ArrayBuffer, own.byteOffset, size);
  if (type === 'bool') {
    const wrong = (data as Uint8Array).findIndex((byte) => byte > 1);
    if (wrong >= 0) throw misfit(`input ${name}[${wrong}]`, 'a byte of 0 or 1 (BOOL)', String(data[wrong]));
  }
  return data;
}

/** The binary form of a tensor; numbers are not copied. */
export function toBytes({ type, data }: Tensor): Uint8Array {
  if (type === 'string' || Array.isArray(data)) return stringBytes(data as string[]);
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** A string of bytes that a client sent. @param index of the element, where there are several @throws ServerError invalid_input */
export function text(where: string, bytes: Buffer, index?: number): string {
  const place = (): string => (index === undefined ? where : `${where}[${index}]`);
  if (!isUtf8(bytes)) throw misfit(place(), 'UTF-8 (BYTES become strings)', 'other bytes');
  const string = bytes.toString();
  // ONNX Runtime would cut the string there.
  if (string.includes('\0')) throw misfit(place(), 'a string without NUL characters', 'one with NUL');
  return string;
}

/** Elements with their length, u32, in front. */
function strings(name: string, bytes: Buffer, size: number): string[] {
  const elements: string[] = [];
  for (let at = 0; at < bytes.length;) {
    const from = at + 4;
    const to = from > bytes.length ? Infinity : from + bytes.readUInt32LE(at);
    if (to > bytes.length)
      throw misfit(
        `input ${name}[${elements.length}]`,
        'four bytes of length and that many bytes',
        `the end of the data after ${bytes.length - at}`,
      );
    elements.push(text(`input ${name}`, bytes.subarray(from, to), elements.length));
    at = to;
  }
  if (elements.length !== size) throw misfit(`input ${name}`, `${size} elements for its shape`, String(elements.length));
  return elements;
}

function stringBytes(elements: readonly string[]): Buffer {
  const lengths = elements.map((element) => Buffer.byteLength(element));
  const bytes = Buffer.allocUnsafe(lengths.reduce((sum, length) => sum + 4 + length, 0));
  let at = 0;
  for (const [index, element] of elements.entries()) {
    at = bytes.writeUInt32LE(lengths[index] ?? 0, at);
    at += bytes.write(element, at);
  }
  return bytes;
}
