import type { Tensor } from '../entry-script.ts';
import { ServerError } from '../errors.ts';
import { float16ToNumber } from '../float16.ts';

/** How NaN and the infinities are written: JSON has no numbers for them. */
export type NonFinite = 'string' | 'null' | 'error';

type NumberArray = Exclude<NodeJS.TypedArray, BigInt64Array | BigUint64Array>;

/**
 * What `run()` returned, as JSON text. Tensors and typed arrays become nested arrays, 64-bit integers exact numbers.
 * @throws ServerError result_not_json that names the place of what has no JSON form
 */
export function encodeJson(value: unknown, nonFinite: NonFinite): string {
  if (isPlain(value, 0)) return JSON.stringify(value) ?? '{}';
  return new Encoder(nonFinite).text(value, 'result') ?? '{}';
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

class Encoder {
  readonly #nonFinite: NonFinite;
  readonly #above = new Set<object>();

  constructor(nonFinite: NonFinite) {
    this.#nonFinite = nonFinite;
  }

  /** JSON text, or undefined for what JSON leaves out (undefined itself). */
  text(value: unknown, path: string): string | undefined {
    switch (typeof value) {
      case 'undefined':
        return undefined;
      case 'number':
        return Number.isFinite(value) ? String(value) : this.#special(value, path);
      case 'bigint':
        return value.toString();
      case 'string':
      case 'boolean':
        return JSON.stringify(value);
      case 'function':
      case 'symbol':
        throw notJson(path, `a ${typeof value}`);
      case 'object':
        return value === null ? 'null' : this.#object(value, path);
      default:
        throw notJson(path, typeof value);
    }
  }

  #object(value: object, path: string): string | undefined {
    if (ArrayBuffer.isView(value)) return this.#typedArray(value, path);
    if (isTensor(value)) return this.#tensor(value, path);
    if (this.#above.has(value)) throw notJson(path, 'an object that contains itself');
    this.#above.add(value);
    try {
      if (Array.isArray(value)) return `[${value.map((item, index) => this.text(item, `${path}[${index}]`) ?? 'null').join(',')}]`;
      if ('toJSON' in value && typeof value.toJSON === 'function') return this.text((value.toJSON as (key: string) => unknown)(''), path);
      if (value instanceof Map || value instanceof Set || value instanceof ArrayBuffer || value instanceof Promise)
        throw notJson(path, `a ${value.constructor.name}`);
      const members: string[] = [];
      for (const [key, member] of Object.entries(value)) {
        const text = this.text(member, `${path}.${key}`);
        if (text !== undefined) members.push(`${JSON.stringify(key)}:${text}`);
      }
      return `{${members.join(',')}}`;
    } finally {
      this.#above.delete(value);
    }
  }

  #typedArray(value: ArrayBufferView, path: string): string {
    if (value instanceof DataView) throw notJson(path, 'a DataView');
    return `[${this.#items(value as NodeJS.TypedArray, path)}]`;
  }

  #items(array: NodeJS.TypedArray, path: string): string {
    if (array instanceof BigInt64Array || array instanceof BigUint64Array || !isFloat(array)) return array.join(',');
    for (let index = 0; index < array.length; index++) {
      const item = array[index];
      if (item !== undefined && !Number.isFinite(item))
        return Array.from(array, (each, at) => (Number.isFinite(each) ? String(each) : this.#special(each, `${path}[${at}]`))).join(',');
    }
    return array.join(',');
  }

  #tensor({ type, dims, data }: Tensor, path: string): string {
    const size = dims.reduce((product, dim) => product * dim, 1);
    if (data.length !== size) throw notJson(path, `a tensor of dims [${dims.join(',')}] with ${data.length} elements instead of ${size}`);
    if (type === 'bool' || Array.isArray(data)) {
      const texts = Array.from<unknown, string>(
        data,
        (item, at) => this.text(type === 'bool' ? Boolean(item) : item, `${path}.data[${at}]`) ?? 'null',
      );
      return nest(dims, (from, to) => texts.slice(from, to).join(','));
    }
    const numbers = type === 'float16' && data instanceof Uint16Array ? Float64Array.from(data, float16ToNumber) : data;
    return nest(dims, (from, to) => this.#items(numbers.subarray(from, to), path));
  }

  #special(value: number, path: string): string {
    if (this.#nonFinite === 'error') throw notJson(path, String(value));
    return this.#nonFinite === 'null' ? 'null' : `"${value}"`;
  }
}

/** Brackets for row-major elements: `row(from, to)` writes the elements of one innermost row. */
function nest(dims: readonly number[], row: (from: number, to: number) => string): string {
  if (dims.length === 0) return row(0, 1);
  const level = (axis: number, from: number, size: number): string => {
    const count = dims[axis] ?? 0;
    if (axis === dims.length - 1) return `[${row(from, from + count)}]`;
    const step = count === 0 ? 0 : size / count;
    return `[${Array.from({ length: count }, (_, index) => level(axis + 1, from + index * step, step)).join(',')}]`;
  };
  return level(
    0,
    0,
    dims.reduce((product, dim) => product * dim, 1),
  );
}

function isFloat(array: NumberArray): boolean {
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

function notJson(path: string, what: string): ServerError {
  return new ServerError(
    'result_not_json',
    `run() returned ${what} at \`${path}\`, which has no JSON form: return numbers, strings, arrays, plain objects, typed arrays, tensors or a Response`,
  );
}
