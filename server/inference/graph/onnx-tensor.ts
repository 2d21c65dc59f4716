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
/** Value of `data_location` for a tensor in another file. */
const EXTERNAL = 1;

/**
 * Reads a TensorProto without its weights.
 * @throws RangeError if it is damaged
 */
export function tensorOf(bytes: Buffer, from: number, to: number): NamedTensor {
  const fields = new FieldReader(bytes, Infinity, from, to);
  const dims: number[] = [];
  const [int32s, int64s, floats, doubles]: [number[], number[], number[], number[]] = [[], [], [], []];
  let [name, dtype, known] = ['', 0, true];
  let raw: Buffer | undefined;
  while (fields.next()) {
    if (fields.number === TENSOR.dims) pushInts(fields, dims);
    else if (fields.number === TENSOR.dtype) dtype = wholeOf(fields);
    else if (fields.number === TENSOR.name) name = latin1(fields);
    else if (fields.number === TENSOR.location) known &&= fields.value !== EXTERNAL;
    else if (fields.to - fields.from > MOST_BYTES) known = false;
    else if (fields.number === TENSOR.raw) raw = fields.content;
    else if (fields.number === TENSOR.int32s) pushInts(fields, int32s);
    else if (fields.number === TENSOR.int64s) pushInts(fields, int64s);
    else if (fields.number === TENSOR.floats) pushFloats(fields, floats, 4);
    else if (fields.number === TENSOR.doubles) pushFloats(fields, doubles, 8);
  }
  const length = dims.reduce((whole, dim) => whole * dim, 1);
  known &&= length <= (FLOATS.has(dtype) ? MOST_FLOATS : MOST_ELEMENTS);
  const read = known ? (raw === undefined ? listOf(dtype, { int32s, int64s, floats, doubles }) : rawEntries(raw, dtype)) : [];
  if (!known || read.length !== length || read.some(Number.isNaN)) return { name, value: constant(dims.map(number)) };
  return { name, value: { ...constant(dims.map(number), read.map(number)), ...(FLOATS.has(dtype) && { float: true }) } };
}

type Lists = Readonly<Record<'int32s' | 'int64s' | 'floats' | 'doubles', readonly number[]>>;

/** The entries of a dtype; none where the field holds bits, or numbers beyond the dtype. */
function listOf(dtype: number, { int32s, int64s, floats, doubles }: Lists): readonly number[] {
  switch (dtype) {
    case DTYPE.float:
      return floats;
    case DTYPE.double:
      return doubles;
    case DTYPE.int64:
      return int64s;
    case DTYPE.int32:
      return int32s;
    case DTYPE.bool:
      return int32s.every((entry) => entry === 0 || entry === 1) ? int32s : [];
    default:
      return [];
  }
}

/** Where a message lies in the bytes of the model. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** The content of a string or message. @throws RangeError if the field is of another kind */
export function spanOf(field: FieldReader): Span {
  if (!field.isBlock) throw wrongKind(field);
  return { from: field.from, to: field.to };
}

/** A message that a field may hold once. @throws RangeError if it holds a second one */
export function onlySpan(field: FieldReader, before: Span | undefined): Span {
  // Protobuf joins several, which no exporter writes.
  if (before !== undefined) throw new RangeError(`expected field ${field.number} once, got it again at ${field.start}`);
  return spanOf(field);
}

/** A whole number that is not negative. @throws RangeError if the field is of another kind */
export function wholeOf(field: FieldReader): number {
  if (!field.isVarint) throw wrongKind(field);
  return field.value;
}

/** A name as Latin-1, which is quicker than UTF-8 and keeps names apart. */
export function latin1(field: FieldReader): string {
  if (!field.isBlock) throw wrongKind(field);
  return field.bytes.toString('latin1', field.from, field.to);
}

const wrongKind = (field: FieldReader): RangeError => new RangeError(`expected another kind of field ${field.number} at ${field.start}`);

/** Whole numbers of a repeated field, packed or not. */
export function pushInts(field: FieldReader, into: number[]): void {
  if (!field.isVarint && !field.isBlock) throw wrongKind(field);
  // Only the low 53 bits of a number matter; a negative one has 64 bits.
  readVarints(field.content, (low, high) => into.push((high | 0) * 2 ** 32 + low));
}

/** Floats of a repeated field, packed or not. */
export function pushFloats(field: FieldReader, into: number[], width: 4 | 8): void {
  const { content, isVarint } = field;
  if (isVarint) throw wrongKind(field);
  for (let at = 0; at + width <= content.length; at += width) into.push(width === 4 ? content.readFloatLE(at) : content.readDoubleLE(at));
}

function rawEntries(raw: Buffer, dtype: number): readonly number[] {
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
