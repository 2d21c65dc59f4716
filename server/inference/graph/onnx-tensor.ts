import { FieldReader, readVarints } from '../../tensors/protobuf.ts';
import { number } from '../rows/size.ts';
import { constant, MOST_ELEMENTS, type Tracked } from '../rows/value.ts';
import { DTYPE, TENSOR } from './onnx-proto.ts';

/** A tensor of a model: its name, and its form with the entries if they are few numbers. */
export interface NamedTensor {
  /** As Latin-1, one character a byte. */
  readonly name: string;
  readonly value: Tracked;
}

/** Bytes of the most entries that are read. */
const MOST_BYTES = MOST_ELEMENTS * 8;
/** Most entries of floats that are read: scales of axes. */
const MOST_FLOATS = 8;
const FLOATS: ReadonlySet<number> = new Set([DTYPE.float, DTYPE.double]);
const INTS: ReadonlySet<number> = new Set([DTYPE.int32, DTYPE.int64, DTYPE.bool]);

/**
 * Reads a TensorProto without its weights.
 * @throws RangeError if it is damaged
 */
export function tensorOf(bytes: Buffer, from: number, to: number): NamedTensor {
  const fields = new FieldReader(bytes, Infinity, from, to);
  const dims: number[] = [];
  const [ints, floats]: [number[], number[]] = [[], []];
  let [name, dtype] = ['', 0];
  let raw: Buffer | undefined;
  while (fields.next()) {
    if (fields.number === TENSOR.dims) pushInts(fields, dims);
    else if (fields.number === TENSOR.dtype) dtype = fields.value;
    else if (fields.number === TENSOR.name) name = latin1(fields);
    else if (fields.to - fields.from > MOST_BYTES) continue;
    else if (fields.number === TENSOR.raw) raw = fields.content;
    else if (fields.number === TENSOR.int32s || fields.number === TENSOR.int64s) pushInts(fields, ints);
    else if (fields.number === TENSOR.floats) pushFloats(fields, floats, 4);
    else if (fields.number === TENSOR.doubles) pushFloats(fields, floats, 8);
  }
  const length = dims.reduce((whole, dim) => whole * dim, 1);
  const most = FLOATS.has(dtype) ? MOST_FLOATS : MOST_ELEMENTS;
  // Types of 16 bits and less are ints too, as bits: they have no known entries.
  const entries = FLOATS.has(dtype) ? floats : INTS.has(dtype) ? ints : [];
  const read = length > most ? [] : raw === undefined ? entries : rawEntries(raw, dtype);
  if (length > most || read.length !== length) return { name, value: constant(dims.map(number)) };
  return { name, value: { ...constant(dims.map(number), read.map(number)), ...(FLOATS.has(dtype) && { float: true }) } };
}

/** A name as Latin-1, which is quicker than UTF-8 and keeps names apart. */
export const latin1 = ({ bytes, from, to }: FieldReader): string => bytes.toString('latin1', from, to);

/** Whole numbers of a repeated field, packed or not. */
export function pushInts(field: FieldReader, into: number[]): void {
  // Only the low 53 bits of a number matter; a negative one has 64 bits.
  readVarints(field.content, (low, high) => into.push((high | 0) * 2 ** 32 + low));
}

/** Floats of a repeated field, packed or not. */
export function pushFloats(field: FieldReader, into: number[], width: 4 | 8): void {
  const { content } = field;
  for (let at = 0; at + width <= content.length; at += width) into.push(width === 4 ? content.readFloatLE(at) : content.readDoubleLE(at));
}

function rawEntries(raw: Buffer, dtype: number): number[] {
  const [width, read] = reading(raw, dtype);
  return Array.from({ length: Math.floor(raw.length / width) }, (_, index) => read(index * width));
}

/** Bytes of an entry and how one is read. Other dtypes have no known entries. */
function reading(raw: Buffer, dtype: number): [number, (at: number) => number] {
  switch (dtype) {
    case DTYPE.float:
      return [4, (at) => raw.readFloatLE(at)];
    case DTYPE.double:
      return [8, (at) => raw.readDoubleLE(at)];
    case DTYPE.int64:
      return [8, (at) => Number(raw.readBigInt64LE(at))];
    case DTYPE.int32:
      return [4, (at) => raw.readInt32LE(at)];
    case DTYPE.bool:
      return [1, (at) => raw.readUInt8(at)];
    default:
      return [Infinity, () => 0];
  }
}
