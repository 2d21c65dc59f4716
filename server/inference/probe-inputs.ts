import type { Tensor, TensorSpec } from '../entry-script.ts';
import { float16Bits } from '../tensors/float16.ts';
import type { Tensors } from './batcher.ts';
import { elementTypes } from './elements.ts';

/** Size that a symbolic dimension gets, other than the first. */
const SYMBOLIC_SIZE = 3;
/** A model with more input elements a row is not probed: making the input would take longer than it tells. */
const MOST_ELEMENTS = 4_000_000;

/**
 * Inputs that any model should take, for warm-up and for the proof that rows do not mix: small random numbers, the
 * integers 0 and 1 (token ids, categories), digits for strings. The same seed gives the same inputs.
 * @param rows size of a symbolic first dimension
 * @returns undefined when the model wants too much
 */
export function probeInputs(specs: readonly TensorSpec[], rows: number, seed: number): Tensors | undefined {
  const random = generator(seed);
  const feeds = Object.create(null) as Record<string, Tensor>;
  for (const { name, type, dims } of specs) {
    const sizes = dims.map((dim, axis) => (typeof dim === 'number' ? dim : axis === 0 ? rows : SYMBOLIC_SIZE));
    const length = sizes.reduce((product, size) => product * size, 1);
    if (length > MOST_ELEMENTS) return undefined;
    const row = Array.from({ length }, () => elementOf(type, random));
    const element = elementTypes[type];
    const data = element.allocate(length);
    element.write(data, 0, row);
    feeds[name] = { type, dims: sizes, data: data instanceof Float16Array ? float16Bits(data) : data };
  }
  return feeds;
}

function elementOf(type: TensorSpec['type'], random: () => number): unknown {
  if (type === 'string') return String(Math.floor(random() * 10));
  if (type.startsWith('float')) return random() * 2 - 1;
  if (type === 'bool') return random() < 0.5;
  return Math.floor(random() * 2);
}

/** mulberry32: small, and good enough to make rows differ. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
