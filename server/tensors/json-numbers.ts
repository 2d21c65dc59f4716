import type { Tensor } from '../entry-script.ts';
import { MOST_DIMS, sizeOf } from './tensor-shape.ts';

/** The numbers of one body, in order of appearance. Arrays are ranges of it. */
export class NumberStore {
  numbers: Float64Array;

  constructor(room: number) {
    this.numbers = new Float64Array(room);
  }

  /** Doubles the room. */
  grow(): Float64Array {
    const larger = new Float64Array(this.numbers.length * 2);
    larger.set(this.numbers);
    this.numbers = larger;
    return larger;
  }
}

/**
 * A rectangular (nested) array of JSON numbers. As a tensor it fits every numeric dtype of a model
 * that can hold its numbers.
 */
export class JsonNumbers implements Tensor {
  readonly type = 'float64';
  readonly dims: readonly number[];
  readonly #store: NumberStore;
  readonly #from: number;
  readonly #length: number;

  constructor(dims: readonly number[], store: NumberStore, from: number, length: number) {
    this.dims = dims;
    this.#store = store;
    this.#from = from;
    this.#length = length;
  }

  hasDims(dims: readonly number[]): boolean {
    return this.dims.length === dims.length && this.dims.every((dim, axis) => dim === dims[axis]);
  }

  /** The same numbers in one dimension. */
  get flat(): JsonNumbers {
    return new JsonNumbers([this.#length], this.#store, this.#from, this.#length);
  }

  /** Row-major, a view. */
  get data(): Float64Array {
    return this.#store.numbers.subarray(this.#from, this.#from + this.#length);
  }
}

/**
 * Replaces every rectangular array of numbers by JsonNumbers in JSON that the general parser has
 * read. Why: authors get one form, whichever parser read the body.
 */
export function withNumbers(value: unknown): unknown {
  // Arrays inside a mixed array stay arrays, because errors name places in them.
  if (Array.isArray(value)) return rectangleOf(value) ?? value.map((item: unknown) => (Array.isArray(item) ? item : withNumbers(item)));
  if (typeof value !== 'object' || value === null) return value;
  for (const [key, member] of Object.entries(value)) Reflect.set(value, key, withNumbers(member));
  return value;
}

function rectangleOf(value: readonly unknown[]): JsonNumbers | undefined {
  const dims: number[] = [];
  for (let level: unknown = value; Array.isArray(level); level = level[0]) dims.push(level.length);
  if (dims.includes(0) || dims.length > MOST_DIMS || !isRectangle(value, dims, 0)) return undefined;
  const store = new NumberStore(sizeOf(dims));
  return fill(store.numbers, 0, value, dims, 0) < 0 ? undefined : new JsonNumbers(dims, store, 0, store.numbers.length);
}

/** Checked before memory is taken, because the first elements may promise more than there is. */
function isRectangle(level: unknown, dims: readonly number[], axis: number): boolean {
  if (!Array.isArray(level) || level.length !== dims[axis]) return false;
  return axis === dims.length - 1 || level.every((item) => isRectangle(item, dims, axis + 1));
}

/**
 * Writes the numbers below one level from `at` on. Returns the end, or -1 where an element is no
 * number, or an infinity. Why: JSON.parse makes one of 1e999, which no form of a body may hold.
 */
function fill(numbers: Float64Array, at: number, level: readonly unknown[], dims: readonly number[], axis: number): number {
  let next = at;
  for (const item of level) {
    if (Array.isArray(item) && axis < dims.length - 1) {
      next = fill(numbers, next, item, dims, axis + 1);
      if (next < 0) return -1;
    } else if (typeof item === 'number' && Math.abs(item) !== Infinity) numbers[next++] = item;
    else return -1;
  }
  return next;
}
