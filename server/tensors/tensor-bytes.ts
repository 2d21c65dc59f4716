import { isUtf8 } from 'node:buffer';
import type { Tensor } from '../entry-script.ts';
import { type Dtype, dtypes, type TensorData } from './dtypes.ts';
import { misfit } from './infer-request.ts';
import { inputPlace, placeOf, sizeOf } from './tensor-shape.ts';

/**
 * Bytes of one read of the pipe. A buffer up to this size may hold other requests, which a script
 * must not reach through a view.
 */
const LARGEST_READ = 64 * 1024;

/**
 * A tensor's data from its binary form (docs/open-inference.md). A view where the bytes are aligned
 * and alone in their buffer, else a copy.
 * @throws ServerError invalid_input
 */
export function fromBytes(name: string, type: Dtype, dims: readonly number[], bytes: Buffer): TensorData {
  const size = sizeOf(dims);
  const row = dtypes[type];
  if (row.kind === 'string') return elementsOf(name, dims, bytes, (element, flat) => text(name, dims, flat, element));
  const Class = row.array;
  const expected = size * Class.BYTES_PER_ELEMENT;
  if (bytes.length !== expected)
    throw misfit(`input ${name}`, `${expected} bytes for the shape [${dims.join(',')}] of its datatype`, String(bytes.length));
  if (row.kind === 'boolean') {
    const wrong = bytes.findIndex((byte) => byte > 1);
    if (wrong >= 0) throw misfit(inputPlace(name, placeOf(dims, wrong)), 'a byte of 0 or 1 (BOOL)', String(bytes[wrong]));
  }
  const { buffer, byteOffset } = bytes;
  if (buffer instanceof ArrayBuffer && buffer.byteLength > LARGEST_READ && byteOffset % Class.BYTES_PER_ELEMENT === 0)
    return new Class(buffer, byteOffset, size);
  return new Class(new Uint8Array(bytes).buffer, 0, size);
}

/** The binary form of a tensor; numbers are not copied. */
export function toBytes({ data }: Tensor): Uint8Array {
  if (Array.isArray(data)) return stringBytes(data);
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/**
 * Decodes an element of an input of strings.
 * @param flat its index, row-major
 * @throws ServerError invalid_input
 */
export function text(name: string, dims: readonly number[], flat: number, bytes: Buffer): string {
  const place = (): string => inputPlace(name, placeOf(dims, flat));
  if (!isUtf8(bytes)) throw misfit(place(), 'UTF-8 (BYTES become strings)', 'other bytes');
  const string = bytes.toString();
  // ONNX Runtime cuts a string at its first NUL.
  if (string.includes('\0')) throw misfit(place(), 'a string without NUL characters', 'one with NUL');
  return string;
}

/** The elements of a BYTES tensor, each a copy. @throws ServerError invalid_input */
export function byteElements(name: string, dims: readonly number[], bytes: Buffer): Uint8Array[] {
  return elementsOf(name, dims, bytes, (element) => new Uint8Array(element));
}

/** Elements, each with its length in front as a u32. */
function elementsOf<T>(name: string, dims: readonly number[], bytes: Buffer, read: (element: Buffer, flat: number) => T): T[] {
  const size = sizeOf(dims);
  const elements: T[] = [];
  let count = 0;
  for (let at = 0; at < bytes.length; count++) {
    const from = at + 4;
    const to = from > bytes.length ? Infinity : from + bytes.readUInt32LE(at);
    if (to > bytes.length)
      throw misfit(
        count < size ? inputPlace(name, placeOf(dims, count)) : `input ${name}`,
        'four bytes of length and that many bytes',
        `the end of the data after ${bytes.length - at}`,
      );
    if (count < size) elements.push(read(bytes.subarray(from, to), count));
    at = to;
  }
  if (count !== size) throw misfit(`input ${name}`, `${size} elements for its shape`, String(count));
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
