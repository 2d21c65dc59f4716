import type { Tensor, TensorSpec } from '../entry-script.ts';
import { type Dtype, dtypes } from '../tensors/dtypes.ts';
import { elementTypes } from '../tensors/elements.ts';
import { sizeOf } from '../tensors/tensor-shape.ts';
import { dataOf } from '../tensors/tensor.ts';
import type { Tensors } from './batcher.ts';

/** Size of symbolic dimensions other than the first. */
const SYMBOLIC_SIZE = 3;
/** Digits of a made-up number. Why: people read them in the example of a request. */
const DIGITS = 3;
/** Most input elements of a row. Larger rows are not probed, because making them takes long. */
const MOST_ELEMENTS = 4_000_000;

/**
 * Inputs that most models accept, for warm-up and for the proof that rows do not mix. They are
 * small random numbers, the integers 0 and 1 (token ids, categories), and digits for strings. The
 * same seed gives the same inputs.
 * @param rows size of a symbolic first dimension
 * @returns undefined if an input has too many elements
 */
export function probeInputs(specs: readonly TensorSpec[], rows: number, seed: number): Tensors | undefined {
  const random = generator(seed);
  const feeds: Record<string, Tensor> = Object.create(null);
  for (const { name, type, dims } of specs) {
    const sizes = dims.map((dim, axis) => (typeof dim === 'number' ? dim : axis === 0 ? rows : SYMBOLIC_SIZE));
    const length = sizeOf(sizes);
    if (length > MOST_ELEMENTS) return undefined;
    const row = Array.from({ length }, () => probeValue(type, random));
    const element = elementTypes[type];
    const data = element.allocate(length);
    element.write(data, 0, row);
    feeds[name] = { type, dims: sizes, data: dataOf(data) };
  }
  return feeds;
}

function probeValue(type: Dtype, random: () => number): unknown {
  const { kind } = dtypes[type];
  switch (kind) {
    case 'string':
      return String(Math.floor(random() * 10));
    case 'float':
      return Number((random() * 2 - 1).toFixed(DIGITS));
    case 'boolean':
      return random() < 0.5;
    case 'integer':
    case 'bigint':
      return Math.floor(random() * 2);
    default:
      return kind satisfies never;
  }
}

/** mulberry32, a small generator that makes rows differ. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
