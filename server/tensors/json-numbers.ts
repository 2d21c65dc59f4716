import type { Tensor } from '../entry-script.ts';

/** Arrays nested deeper than any tensor are no numbers for a model. */
export const DEEPEST = 64;

/** Numbers of one body, in order of appearance; arrays are ranges of it. */
export interface Storage {
  numbers: Float64Array;
}

/** A rectangular (nested) array of JSON numbers. As a tensor it fits every numeric dtype of a model that can hold its numbers. */
export class JsonNumbers implements Tensor {
  readonly type = 'float64';
  readonly dims: readonly number[];
  readonly #storage: Storage;
  readonly #from: number;
  readonly #length: number;

  constructor(dims: readonly number[], storage: Storage, from: number, length: number) {
    this.dims = dims;
    this.#storage = storage;
    this.#from = from;
    this.#length = length;
  }

  hasDims(dims: readonly number[]): boolean {
    return this.dims.length === dims.length && this.dims.every((dim, axis) => dim === dims[axis]);
  }

  /** Row-major, a view. */
  get data(): Float64Array {
    return this.#storage.numbers.subarray(this.#from, this.#from + this.#length);
  }
}

/**
 * The same for JSON that the general parser has read: every rectangular array of numbers in it becomes JsonNumbers, so that authors
 * get one form whatever way a body took.
 */
export function withNumbers(value: unknown): unknown {
  // Arrays inside of an array that is not numbers throughout stay as they are: their errors name places.
  if (Array.isArray(value)) return numbersOf(value) ?? value.map((item: unknown) => (Array.isArray(item) ? item : withNumbers(item)));
  if (typeof value !== 'object' || value === null) return value;
  for (const [key, member] of Object.entries(value)) (value as Record<string, unknown>)[key] = withNumbers(member);
  return value;
}

function numbersOf(value: readonly unknown[]): JsonNumbers | undefined {
  const dims: number[] = [];
  for (let level: unknown = value; Array.isArray(level); level = level[0] as unknown) dims.push(level.length);
  if (dims.includes(0) || dims.length > DEEPEST || !isRectangle(value, dims, 0)) return undefined;
  const numbers = new Float64Array(dims.reduce((product, dim) => product * dim, 1));
  return fill(numbers, 0, value, dims, 0) < 0 ? undefined : new JsonNumbers(dims, { numbers }, 0, numbers.length);
}

/** Looked at before memory is taken: the first elements may promise more than there is. */
function isRectangle(level: unknown, dims: readonly number[], axis: number): boolean {
  if (!Array.isArray(level) || level.length !== dims[axis]) return false;
  return axis === dims.length - 1 || level.every((item) => isRectangle(item, dims, axis + 1));
}

/** Writes the numbers below one level from `at` on. Answers where it ended, or -1 when something else is among them. */
function fill(numbers: Float64Array, at: number, level: readonly unknown[], dims: readonly number[], axis: number): number {
  let next = at;
  for (const item of level) {
    if (axis < dims.length - 1) {
      next = fill(numbers, next, item as readonly unknown[], dims, axis + 1);
      if (next < 0) return -1;
    } else if (typeof item === 'number') numbers[next++] = item;
    else return -1;
  }
  return next;
}
