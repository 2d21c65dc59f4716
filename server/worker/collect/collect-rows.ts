import type { Tensor, TensorData, TensorValue } from '../../entry-script.ts';
import { dtypes, isDtype, type DtypeRow } from '../../tensors/dtypes.ts';
import { sizeOf } from '../../tensors/tensor-shape.ts';
import { isFloats, isTensor, isTypedArray, valuesOf } from '../../tensors/tensor.ts';
import { AT, BELOW, Columns, type CollectedRow, type ColumnType, type ColumnTypes, type FlatRow } from './columns.ts';

/**
 * Data to collect: rows (objects, or arrays of numbers), columns by name, tensors by name, one
 * tensor, or one value for each row. Why `object`: an interface is no `Record<string, unknown>`.
 */
export type Collectable = object | readonly TensorValue[] | Tensor | TensorData;

/** Names and types that a script gives its columns. */
export interface ColumnChoices {
  /** Names of columns, for data that has none. */
  readonly featureNames?: readonly string[] | undefined;
  readonly types?: ColumnTypes | undefined;
}

/** A value of a tensor: a list, or one element of a scalar. */
class TensorPart {
  readonly value: unknown;
  readonly type: ColumnType | undefined;

  constructor(value: unknown, type: ColumnType | undefined) {
    this.value = value;
    this.type = type;
  }
}

/** A list of values, and the type of the array or tensor that they are of. */
interface List {
  readonly items: ArrayLike<unknown>;
  readonly type: ColumnType | undefined;
}

/**
 * Flat rows of the data. NaN, infinities and missing values become null.
 * @param columns names and types so far, to which the data adds its own
 * @throws TypeError that names the expected and the given data
 * @throws RangeError when the columns are too many
 */
export function toRows(data: unknown, { featureNames = [], types }: ColumnChoices = {}, columns = new Columns()): CollectedRow[] {
  return columns.rows(new Flattening(featureNames).rows(data), types);
}

/** Spreads data over rows of single values. */
class Flattening {
  readonly #names: readonly string[];
  /** Paths of indexes, which rows share. */
  readonly #indexed = new Map<string, string[]>();

  constructor(names: readonly string[]) {
    this.#names = distinct(names);
  }

  rows(data: unknown): FlatRow[] {
    if (typeof data !== 'object' || data === null) throw unfit(data);
    const list = listOf(data);
    if (list !== undefined) return Array.from(list.items, (item, index) => this.#row(item, list.type, index));
    if (isListable(data)) return this.#ofColumns([[this.#names.length === 1 ? (this.#names[0] ?? '') : '', tensorRows(data)]]);
    return this.#ofColumns(Object.entries(data).map(([name, value]) => [name, isListable(value) ? tensorRows(value) : value]));
  }

  /** An item of an array of rows. */
  #row(item: unknown, type: ColumnType | undefined, index: number): FlatRow {
    const row: FlatRow = { sources: [], values: [], types: [] };
    const list = listOf(item);
    if (list !== undefined) {
      const { items } = list;
      for (let at = 0; at < items.length; at++) this.#spread(row, this.#names[at] ?? this.#at('column', at), items[at], list.type);
    } else if (typeof item === 'object' && item !== null && !isListable(item) && !(item instanceof Date)) {
      for (const [name, value] of Object.entries(item)) this.#spread(row, name, value, undefined);
    } else {
      if (typeof item === 'function' || typeof item === 'symbol') throw unfit(item, `row ${index}`);
      this.#spread(row, this.#names[0] ?? '', item, type);
    }
    return row;
  }

  /**
   * Columns of the same length; a single value stands in every row. An object of single values is
   * one row.
   */
  #ofColumns(columns: readonly (readonly [string, unknown])[]): FlatRow[] {
    if (columns.length === 0) throw new TypeError('collect: expected rows, columns or tensors, got an object without any');
    const all = columns.map(([name, value]) => ({ name, value, list: listOf(value) }));
    const lists = all.flatMap(({ name, list }) => (list === undefined ? [] : [{ name, length: list.items.length }]));
    const lengths = new Set(lists.map((list) => list.length));
    if (lengths.size > 1) {
      const got = lists.map((list) => `${list.name}: ${list.length}`);
      throw new TypeError(`collect: expected columns of the same length, got ${got.join(', ')}`);
    }
    const [length = 1] = lengths;
    return Array.from({ length }, (_, index) => {
      // One tensor has no name of its own, but its columns may.
      const [only] = all;
      if (all.length === 1 && only?.name === '' && only.list !== undefined && listOf(only.list.items[index]) !== undefined)
        return this.#row(only.list.items[index], only.list.type, index);
      const row: FlatRow = { sources: [], values: [], types: [] };
      for (const { name, value, list } of all) this.#spread(row, name, list === undefined ? value : list.items[index], list?.type);
      return row;
    });
  }

  /** Adds a value to a row. Nested values become columns `name_0`, `name_1`, ... or `name_key`. */
  #spread(row: FlatRow, name: string, value: unknown, type: ColumnType | undefined): void {
    if (typeof value !== 'object' || value === null) return add(row, name, value, type);
    const list = listOf(value);
    if (list !== undefined) {
      const { items } = list;
      for (let at = 0; at < items.length; at++) this.#spread(row, this.#at(name, at), items[at], list.type);
    } else if (value instanceof Date) {
      add(row, name, Number.isNaN(value.valueOf()) ? null : value.toISOString(), 'string');
    } else if (value instanceof TensorPart) {
      add(row, name, value.value, value.type);
    } else if (isListable(value)) {
      this.#spread(row, name, tensorRows(value), undefined);
    } else {
      for (const [key, item] of Object.entries(value)) this.#spread(row, name + BELOW + key, item, undefined);
    }
    return undefined;
  }

  #at(name: string, index: number): string {
    let paths = this.#indexed.get(name);
    if (paths === undefined) this.#indexed.set(name, (paths = []));
    return (paths[index] ??= name + AT + index);
  }
}

function add(row: FlatRow, source: string, value: unknown, type: ColumnType | undefined): void {
  row.sources.push(source);
  row.values.push(value);
  row.types.push(type);
}

/** Names that a script gives twice are two columns. */
function distinct(names: readonly string[]): readonly string[] {
  if (names.length === 0 || new Set(names).size === names.length) return names;
  const seen = new Map<string, number>();
  return names.map((name) => {
    const times = (seen.get(name) ?? 0) + 1;
    seen.set(name, times);
    return times === 1 ? name : name + AT + times;
  });
}

/** The items along the first dimension: single values, or flat lists of the values below it. */
function tensorRows({ type, dims, data }: Tensor): TensorPart {
  const values: ArrayLike<unknown> = valuesOf({ type, data });
  const ofColumn = isDtype(type) ? typeOfDtype(dtypes[type]) : undefined;
  const at = (index: number): unknown => (type === 'bool' ? values[index] === 1 : values[index]);
  const [rows, ...below] = dims;
  if (rows === undefined) return new TensorPart(at(0), ofColumn);
  const width = sizeOf(below);
  const listed = (length: number, item: (index: number) => unknown): TensorPart =>
    new TensorPart(
      Array.from({ length }, (_, index) => item(index)),
      ofColumn,
    );
  if (below.length === 0 || width === 1) return listed(rows, at);
  return listed(rows, (row) => listed(width, (column) => at(row * width + column)));
}

export function typeOfDtype({ kind }: DtypeRow): ColumnType {
  switch (kind) {
    case 'float':
    case 'string':
    case 'boolean':
      return kind;
    case 'integer':
    case 'bigint':
      return 'int';
    default:
      return kind satisfies never;
  }
}

function listOf(value: unknown): List | undefined {
  if (Array.isArray(value)) return { items: value, type: undefined };
  if (isTypedArray(value)) return { items: value, type: isFloats(value) ? 'float' : 'int' };
  return value instanceof TensorPart && Array.isArray(value.value) ? { items: value.value, type: value.type } : undefined;
}

/** True for a tensor whose elements can be listed. */
function isListable(value: unknown): value is Tensor {
  return (
    typeof value === 'object' && value !== null && isTensor(value) && typeof value.type === 'string' && listOf(value.data) !== undefined
  );
}

function unfit(given: unknown, where = 'data'): TypeError {
  return new TypeError(`collect: expected rows, columns or tensors as ${where}, got ${given === null ? 'null' : typeof given}`);
}
