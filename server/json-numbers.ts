import type { Tensor } from './entry-script.ts';

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
  const numbers: number[] = [];
  const fill = (level: unknown, axis: number): boolean => {
    if (axis === dims.length) return typeof level === 'number' && numbers.push(level) > 0;
    return Array.isArray(level) && level.length === dims[axis] && level.every((item) => fill(item, axis + 1));
  };
  const whole = !dims.includes(0) && dims.length <= DEEPEST && fill(value, 0);
  return whole ? new JsonNumbers(dims, { numbers: Float64Array.from(numbers) }, 0, numbers.length) : undefined;
}
