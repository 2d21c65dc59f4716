import { stringify } from '../built-ins.ts';
import type { Tensor } from '../entry-script.ts';
import { ServerError } from '../errors.ts';
import { float16ToNumber } from '../float16.ts';

/** How NaN and the infinities are written: JSON has no numbers for them. */
export type NonFinite = 'string' | 'null' | 'error';

/**
 * What `run()` returned, as JSON text. Tensors and typed arrays become nested arrays, 64-bit integers exact numbers.
 * @throws ServerError result_not_json that names the place of what has no JSON form
 */
export function encodeJson(value: unknown, nonFinite: NonFinite): string {
  if (isPlain(value, 0)) return stringify(value) ?? '{}';
  return new Encoder(nonFinite).text(value) ?? '{}';
}

/** Deeper than any answer; a circular one ends here and is then reported by the encoder. */
const DEEPEST = 200;

/** True when JSON.stringify alone does it right: no tensors, bigints, non-finite numbers or objects of a class. */
function isPlain(value: unknown, depth: number): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value === 'bigint' || typeof value === 'function' || typeof value === 'symbol') return false;
  if (typeof value !== 'object' || value === null) return true;
  if (depth > DEEPEST) return false;
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === 'number' ? !Number.isFinite(item) : !isPlain(item, depth + 1)) return false;
    return true;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if ((prototype !== Object.prototype && prototype !== null) || 'toJSON' in value || isTensor(value)) return false;
  for (const key in value) if (!isPlain((value as Record<string, unknown>)[key], depth + 1)) return false;
  return true;
}

/** Rows up to here are written number by number: a view and a join cost more. */
const SHORT_ROW = 8;

class Encoder {
  readonly #nonFinite: NonFinite;
  /** Keys and indices on the way to what is being written, for errors. */
  readonly #way: (string | number)[] = [];
  /** The objects on that way. */
  readonly #above: object[] = [];

  constructor(nonFinite: NonFinite) {
    this.#nonFinite = nonFinite;
  }

  /** JSON text, or undefined for what JSON leaves out (undefined itself). */
  text(value: unknown): string | undefined {
    switch (typeof value) {
      case 'undefined':
        return undefined;
      case 'number':
        return Number.isFinite(value) ? String(value) : this.#special(value);
      case 'bigint':
        return value.toString();
      case 'string':
      case 'boolean':
        return stringify(value);
      case 'object':
        return value === null ? 'null' : this.#object(value);
      case 'function':
      case 'symbol':
      default:
        throw this.#notJson(`a ${typeof value}`);
    }
  }

  #object(value: object): string | undefined {
    if (ArrayBuffer.isView(value)) return this.#typedArray(value);
    if (isTensor(value)) return this.#tensor(value);
    if (this.#above.includes(value)) throw this.#notJson('an object that contains itself');
    this.#above.push(value);
    const text = Array.isArray(value) ? this.#array(value) : this.#members(value);
    this.#above.pop();
    return text;
  }

  #array(items: readonly unknown[]): string {
    return `[${items.map((item, index) => this.#at(index, item) ?? 'null').join(',')}]`;
  }

  #members(value: object): string | undefined {
    if ('toJSON' in value && typeof value.toJSON === 'function') return this.text((value.toJSON as (key: string) => unknown)(''));
    if (value instanceof Map || value instanceof Set || value instanceof ArrayBuffer || value instanceof Promise)
      throw this.#notJson(`a ${value.constructor.name}`);
    let members = '';
    for (const key of Object.keys(value)) {
      const text = this.#at(key, (value as Record<string, unknown>)[key]);
      if (text !== undefined) members += `${members === '' ? '' : ','}${stringify(key)}:${text}`;
    }
    return `{${members}}`;
  }

  /** What is under a key or an index. */
  #at(step: string | number, value: unknown): string | undefined {
    this.#way.push(step);
    const text = this.text(value);
    this.#way.pop();
    return text;
  }

  #typedArray(value: ArrayBufferView): string {
    if (value instanceof DataView) throw this.#notJson('a DataView');
    const array = value as NodeJS.TypedArray;
    return `[${this.#items(array, 0, array.length)}]`;
  }

  #items(array: NodeJS.TypedArray, from: number, to: number): string {
    if (isFloat(array) && !isFinite(array, from, to))
      return Array.from(array.subarray(from, to), (each, at) => (Number.isFinite(each) ? String(each) : this.#special(each, at))).join(',');
    if (to - from > SHORT_ROW) return array.subarray(from, to).join(',');
    let text = from < to ? String(array[from]) : '';
    for (let index = from + 1; index < to; index++) text += `,${array[index]}`;
    return text;
  }

  #tensor({ type, dims, data }: Tensor): string {
    const size = dims.reduce((product, dim) => product * dim, 1);
    if (data.length !== size) throw this.#notJson(`a tensor of dims [${dims.join(',')}] with ${data.length} elements instead of ${size}`);
    if (type === 'bool' || Array.isArray(data)) {
      this.#way.push('data');
      const texts = Array.from<unknown, string>(data, (item, at) => this.#at(at, type === 'bool' ? Boolean(item) : item) ?? 'null');
      this.#way.pop();
      return nest(dims, (from, to) => texts.slice(from, to).join(','));
    }
    const numbers = type === 'float16' && data instanceof Uint16Array ? Float64Array.from(data, float16ToNumber) : data;
    return nest(dims, (from, to) => this.#items(numbers, from, to));
  }

  #special(value: number, at?: number): string {
    if (at !== undefined) this.#way.push(at);
    if (this.#nonFinite === 'error') throw this.#notJson(String(value));
    if (at !== undefined) this.#way.pop();
    return this.#nonFinite === 'null' ? 'null' : `"${value}"`;
  }

  #notJson(what: string): ServerError {
    const place = this.#way.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join('');
    return new ServerError(
      'result_not_json',
      `run() returned ${what} at \`result${place}\`, which has no JSON form: return numbers, strings, arrays, plain objects, typed arrays, tensors or a Response`,
    );
  }
}

/** Brackets for row-major elements: `row(from, to)` writes the elements of one innermost row. */
function nest(dims: readonly number[], row: (from: number, to: number) => string): string {
  if (dims.length === 0) return row(0, 1);
  const level = (axis: number, from: number, size: number): string => {
    const count = dims[axis] ?? 0;
    if (axis === dims.length - 1) return `[${row(from, from + count)}]`;
    const step = count === 0 ? 0 : size / count;
    if (count === 1) return `[${level(axis + 1, from, step)}]`;
    return `[${Array.from({ length: count }, (_, index) => level(axis + 1, from + index * step, step)).join(',')}]`;
  };
  return level(
    0,
    0,
    dims.reduce((product, dim) => product * dim, 1),
  );
}

function isFinite(array: Float32Array | Float64Array, from: number, to: number): boolean {
  for (let index = from; index < to; index++) if (!Number.isFinite(array[index])) return false;
  return true;
}

function isFloat(array: NodeJS.TypedArray): array is Float32Array | Float64Array {
  return array instanceof Float32Array || array instanceof Float64Array || array.constructor.name === 'Float16Array';
}

/** A tensor by its shape: ONNX Runtime's own class, this server's, or one that an author made. */
function isTensor(value: object): value is Tensor {
  return (
    'dims' in value &&
    'type' in value &&
    'data' in value &&
    Array.isArray(value.dims) &&
    (ArrayBuffer.isView(value.data) || Array.isArray(value.data))
  );
}
