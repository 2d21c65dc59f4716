import type { Dtype } from '../entry-script.ts';

/**
 * What ONNX Runtime's tensors hold, element by element. Rows are written with plain loops and no closures: a request of
 * 150,000 numbers passes here. Nothing is silently changed, but for the rounding of decimals to the dtype's precision.
 */
export interface ElementType {
  /** Flat data of `length` elements, all zero (or holes, for strings). */
  readonly allocate: (length: number) => Elements;
  /** Says what one element may be, in an error message. */
  readonly expected: string;
  /**
   * Writes a row into data that `allocate` made, from `offset` on.
   * @returns the index of the first value that does not fit, or -1
   */
  readonly write: (data: Elements, offset: number, row: ArrayLike<unknown>) => number;
}

/** Float16 is written as numbers and handed to ONNX Runtime as bits: float16.ts. */
export type Elements = NumericElements | BigIntElements | string[];
type BigIntElements = BigInt64Array | BigUint64Array;
type NumericElements =
  | Float16Array
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint16Array
  | Uint32Array;

const specials: ReadonlyMap<unknown, number> = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
]);

/** @param limit the smallest magnitude that would round to infinity */
function floats(allocate: (length: number) => NumericElements, limit: number): ElementType {
  return {
    allocate,
    expected: `a finite number${limit < Infinity ? ` below ${limit}` : ''}, "NaN", "Infinity" or "-Infinity"`,
    write(data, offset, row) {
      for (let index = 0; index < row.length; index++) {
        const value = row[index];
        if (typeof value === 'number' && Math.abs(value) < limit) data[offset + index] = value;
        else {
          const number = unusualFloat(value, limit, ArrayBuffer.isView(row));
          if (number === undefined) return index;
          data[offset + index] = number;
        }
      }
      return -1;
    },
  };
}

/**
 * Whole numbers beyond 2^53 arrive as bigint. NaN cannot come from JSON, so a script means it; an infinity can (1e999), and is
 * taken from typed arrays only.
 */
function unusualFloat(value: unknown, limit: number, binary: boolean): number | undefined {
  if (typeof value === 'bigint') return Math.abs(Number(value)) < limit ? Number(value) : undefined;
  if (typeof value === 'number') return Number.isNaN(value) || (binary && !Number.isFinite(value)) ? value : undefined;
  return specials.get(value);
}

function integers(allocate: (length: number) => NumericElements, least: number, most: number): ElementType {
  return {
    allocate,
    expected: `a whole number from ${least} to ${most}`,
    write(data, offset, row) {
      for (let index = 0; index < row.length; index++) {
        const value = row[index];
        const whole = typeof value === 'number' ? Number.isInteger(value) : typeof value === 'bigint';
        if (!whole || Number(value) < least || Number(value) > most) return index;
        data[offset + index] = Number(value);
      }
      return -1;
    },
  };
}

function bigIntegers(allocate: (length: number) => BigIntElements, least: bigint, most: bigint): ElementType {
  return {
    allocate,
    expected: `a whole number from ${least} to ${most} (beyond ±${Number.MAX_SAFE_INTEGER} as a decimal string)`,
    write(data, offset, row) {
      for (let index = 0; index < row.length; index++) {
        const value = exactInteger(row[index]);
        if (value === undefined || value < least || value > most) return index;
        data[offset + index] = value;
      }
      return -1;
    },
  };
}

/** Numbers beyond 2^53 have lost digits already, so that only strings and bigints are exact there. */
function exactInteger(value: unknown): bigint | undefined {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : undefined;
  return typeof value === 'string' && /^-?\d{1,20}$/.test(value) ? BigInt(value) : undefined;
}

const booleans: ElementType = {
  allocate: (length) => new Uint8Array(length),
  expected: 'true, false, 0 or 1',
  write(data, offset, row) {
    for (let index = 0; index < row.length; index++) {
      const value = row[index];
      if (value !== true && value !== false && value !== 0 && value !== 1) return index;
      data[offset + index] = Number(value);
    }
    return -1;
  },
};

const strings: ElementType = {
  allocate: (length) => Array.from<string>({ length }),
  expected: 'a string without NUL characters',
  write(data, offset, row) {
    for (let index = 0; index < row.length; index++) {
      const value = row[index];
      // ONNX Runtime would cut the string there
      if (typeof value !== 'string' || value.includes('\0')) return index;
      data[offset + index] = value;
    }
    return -1;
  },
};

/** One row a dtype. */
export const elementTypes: Readonly<Record<Dtype, ElementType>> = {
  float16: floats((length) => new Float16Array(length), 65_520),
  float32: floats((length) => new Float32Array(length), 2 ** 128 - 2 ** 103),
  float64: floats((length) => new Float64Array(length), Infinity),
  int8: integers((length) => new Int8Array(length), -128, 127),
  int16: integers((length) => new Int16Array(length), -32_768, 32_767),
  int32: integers((length) => new Int32Array(length), -(2 ** 31), 2 ** 31 - 1),
  uint8: integers((length) => new Uint8Array(length), 0, 255),
  uint16: integers((length) => new Uint16Array(length), 0, 65_535),
  uint32: integers((length) => new Uint32Array(length), 0, 2 ** 32 - 1),
  int64: bigIntegers((length) => new BigInt64Array(length), -(2n ** 63n), 2n ** 63n - 1n),
  uint64: bigIntegers((length) => new BigUint64Array(length), 0n, 2n ** 64n - 1n),
  bool: booleans,
  string: strings,
};
