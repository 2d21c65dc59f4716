import type { Tensor, TensorSpec } from '../entry-script.ts';
import { type Dtype, dtypes } from '../tensors/dtypes.ts';
import { elementTypes } from '../tensors/elements.ts';
import { sizeOf } from '../tensors/tensor-shape.ts';
import { dataOf, valuesOf } from '../tensors/tensor.ts';
import type { Tensors } from './batcher.ts';

/** The values of one made-up row. */
export interface RowKind {
  /** Largest magnitude of decimals. */
  readonly float: number;
  /** Integers are from 0 to this number, as far as the dtype has it. */
  readonly integer: number;
  readonly text: 'digit' | 'empty' | 'long';
  /** One decimal of each input is NaN. */
  readonly nan: boolean;
}

/** Values that most models take: decimals in [-1, 1], the integers 0 and 1, digits. */
export const MILD: RowKind = { float: 1, integer: 1, text: 'digit', nan: false };

/** Size of symbolic dimensions other than the first. */
const SYMBOLIC_SIZE = 3;
/** Decimals have three digits. Why: people read them in the example of a request. */
const STEPS = 1000;
/** Most input elements of a row. Larger rows are not made up, because making them takes long. */
const MOST_ELEMENTS = 4_000_000;
const LONG_TEXT = 'a long text '.repeat(20);

type Random = () => number;

/**
 * Makes up one row of inputs. The same seed gives the same row.
 * @returns undefined if an input has too many elements
 */
export function madeUpRow(specs: readonly TensorSpec[], kind: RowKind, seed: number): Tensors | undefined {
  const random = generator(seed);
  const row: Record<string, Tensor> = Object.create(null);
  for (const { name, type, dims } of specs) {
    const sizes = dims.map((dim, axis) => (typeof dim === 'number' ? dim : axis === 0 ? 1 : SYMBOLIC_SIZE));
    const length = sizeOf(sizes);
    if (length > MOST_ELEMENTS) return undefined;
    row[name] = tensorOf(type, sizes, madeUp(type, length, kind, random));
  }
  return row;
}

/**
 * Varies a row that a script ran: its decimals are scaled. Integers and texts are made up where the
 * kind asks for other than mild ones.
 */
export function variedRow(row: Tensors, kind: RowKind, seed: number): Tensors {
  const random = generator(seed);
  const varied: Record<string, Tensor> = Object.create(null);
  for (const [name, tensor] of Object.entries(row)) varied[name] = variedTensor(tensor, kind, random);
  return varied;
}

/** Whether a kind of row differs from a mild one for these dtypes. */
export function appliesTo(kind: RowKind, types: readonly Dtype[]): boolean {
  return types.some((type) => {
    const row = dtypes[type];
    switch (row.kind) {
      case 'float':
        return kind.float !== MILD.float || kind.nan;
      case 'integer':
      case 'bigint':
        return kind.integer !== MILD.integer;
      case 'string':
        return kind.text !== MILD.text;
      case 'boolean':
        return false;
      default:
        return row satisfies never;
    }
  });
}

function variedTensor(tensor: Tensor, kind: RowKind, random: Random): Tensor {
  const { type, dims } = tensor;
  const values: ArrayLike<unknown> = valuesOf(tensor);
  if (dtypes[type].kind === 'float') {
    const scaled = Float64Array.from(values, (value) => rounded(Number(value) * kind.float * (0.5 + random()), type));
    return tensorOf(type, dims, withNan(scaled, kind, random));
  }
  return appliesTo(kind, [type]) ? tensorOf(type, dims, madeUp(type, values.length, kind, random)) : tensor;
}

function madeUp(type: Dtype, length: number, kind: RowKind, random: Random): ArrayLike<unknown> {
  const row = dtypes[type];
  switch (row.kind) {
    case 'string':
      return Array.from({ length }, () => textOf(kind, random));
    case 'float':
      return withNan(
        numbers(length, () => (Math.round((random() * 2 - 1) * STEPS) / STEPS) * kind.float),
        kind,
        random,
      );
    case 'boolean':
      return numbers(length, () => (random() < 0.5 ? 1 : 0));
    case 'integer':
    case 'bigint': {
      const most = Math.min(kind.integer, Number(row.most));
      return numbers(length, () => Math.floor(random() * (most + 1)));
    }
    default:
      return row satisfies never;
  }
}

function textOf({ text }: RowKind, random: Random): string {
  switch (text) {
    case 'digit':
      return String(Math.floor(random() * 10));
    case 'empty':
      return '';
    case 'long':
      return LONG_TEXT;
    default:
      return text satisfies never;
  }
}

function withNan(values: Float64Array, { nan }: RowKind, random: Random): Float64Array {
  if (nan && values.length > 0) values[Math.floor(random() * values.length)] = Number.NaN;
  return values;
}

/** A decimal that the dtype can hold. */
function rounded(value: number, type: Dtype): number {
  const row = dtypes[type];
  return row.kind === 'float' && Math.abs(value) >= row.limit ? Math.sign(value) : value;
}

function numbers(length: number, next: () => number): Float64Array {
  const all = new Float64Array(length);
  for (let at = 0; at < length; at++) all[at] = next();
  return all;
}

function tensorOf(type: Dtype, dims: readonly number[], values: ArrayLike<unknown>): Tensor {
  const element = elementTypes[type];
  const data = element.allocate(values.length);
  element.write(data, 0, values);
  return { type, dims, data: dataOf(data) };
}

/** mulberry32, a small generator that makes rows differ. */
function generator(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
