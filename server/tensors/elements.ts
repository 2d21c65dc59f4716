import { type BigIntegerDtype, columnOf, type DtypeRow, type FloatDtype, type IntegerDtype } from './dtypes.ts';

/**
 * Writes elements of one dtype. Rows are written with plain loops and no closures, because a
 * request of 150,000 numbers passes here. Values keep their exact size, except that decimals are
 * rounded to the dtype's precision.
 */
export interface ElementType {
  /** Flat data of `length` elements, all zero (or holes, for strings). */
  readonly allocate: (length: number) => Elements;
  /** The allowed elements, for an error message. */
  readonly expected: string;
  /**
   * Writes a row into data that `allocate` made, from `offset` on.
   * @param fromTable takes what pandas writes, too: null is NaN in a float, true and false are 1
   * and 0 in every number
   * @returns the index of the first value that does not fit, or -1
   */
  readonly write: (data: Elements, offset: number, row: ArrayLike<unknown>, fromTable?: boolean) => number;
}

/**
 * Elements as they are written. Float16 elements are numbers here, and bits in a tensor (`dataOf`).
 */
export type Elements = NumericElements | BigIntElements | string[];
type BigIntElements = BigIntegerDtype['array']['prototype'];
type NumericElements = (FloatDtype['numbers'] | IntegerDtype['array'])['prototype'];

const specials: ReadonlyMap<unknown, number> = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
]);

function floats({ numbers, limit }: FloatDtype): ElementType {
  return {
    allocate: (length) => new numbers(length),
    expected: `a finite number ${limit < Infinity ? `below ${limit}` : `up to ${Number.MAX_VALUE}`}, "NaN", "Infinity" or "-Infinity"`,
    write(data, offset, row, fromTable = false) {
      for (let index = 0; index < row.length; index++) {
        const value = row[index];
        if (typeof value === 'number' && Math.abs(value) < limit) data[offset + index] = value;
        else {
          const number = unusualFloat(value, limit, ArrayBuffer.isView(row), fromTable);
          if (number === undefined) return index;
          data[offset + index] = number;
        }
      }
      return -1;
    },
  };
}

/**
 * Whole numbers beyond 2^53 arrive as bigint. A NaN is intended, because JSON cannot write it. An
 * infinity is accepted from typed arrays only, because JSON.parse makes one of 1e999.
 */
function unusualFloat(value: unknown, limit: number, binary: boolean, fromTable: boolean): number | undefined {
  if (fromTable && value === null) return NaN;
  if (fromTable && typeof value === 'boolean') return Number(value);
  if (typeof value === 'bigint') return Math.abs(Number(value)) < limit ? Number(value) : undefined;
  if (typeof value === 'number') return Number.isNaN(value) || (binary && !Number.isFinite(value)) ? value : undefined;
  return specials.get(value);
}

function integers({ array, least, most }: IntegerDtype): ElementType {
  return {
    allocate: (length) => new array(length),
    expected: `a whole number from ${least} to ${most}`,
    write(data, offset, row, fromTable = false) {
      for (let index = 0; index < row.length; index++) {
        const value = row[index];
        const whole =
          typeof value === 'number' ? Number.isInteger(value) : typeof value === 'bigint' || (fromTable && typeof value === 'boolean');
        if (!whole || Number(value) < least || Number(value) > most) return index;
        data[offset + index] = Number(value);
      }
      return -1;
    },
  };
}

function bigIntegers({ array, least, most }: BigIntegerDtype): ElementType {
  return {
    allocate: (length) => new array(length),
    expected: `a whole number from ${least} to ${most} (beyond ±${Number.MAX_SAFE_INTEGER} as a decimal string)`,
    write(data, offset, row, fromTable = false) {
      for (let index = 0; index < row.length; index++) {
        const value = exactInteger(row[index], fromTable);
        if (value === undefined || value < least || value > most) return index;
        data[offset + index] = value;
      }
      return -1;
    },
  };
}

/** Beyond 2^53 only strings and bigints are exact: numbers have lost digits already. */
function exactInteger(value: unknown, fromTable: boolean): bigint | undefined {
  if (typeof value === 'bigint') return value;
  if (fromTable && typeof value === 'boolean') return BigInt(value);
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
      // ONNX Runtime cuts a string at its first NUL.
      if (typeof value !== 'string' || value.includes('\0')) return index;
      data[offset + index] = value;
    }
    return -1;
  },
};

function elementTypeOf(row: DtypeRow): ElementType {
  switch (row.kind) {
    case 'float':
      return floats(row);
    case 'integer':
      return integers(row);
    case 'bigint':
      return bigIntegers(row);
    case 'boolean':
      return booleans;
    case 'string':
      return strings;
    default:
      return row satisfies never;
  }
}

/** Element type by dtype. */
export const elementTypes = columnOf(elementTypeOf);
