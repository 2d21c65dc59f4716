import type { Tensor, TensorData, TensorValue } from '../../entry-script.ts';
import { sizeOf } from '../../tensors/tensor-shape.ts';
import { isTensor, valuesOf } from '../../tensors/tensor.ts';

/** A cell of a collected row; deeper values are spread over columns. */
type Cell = string | number | boolean | null;
export type CollectedRow = Record<string, Cell>;

/**
 * Data to collect: rows (objects, or arrays of numbers), columns by name, tensors by name, one
 * tensor, or one value for each row. Why `object`: an interface is no `Record<string, unknown>`.
 */
export type Collectable = object | readonly TensorValue[] | Tensor | TensorData;

const DEFAULT_COLUMN = 'value';

/**
 * Flat rows of the data. Whole numbers beyond 2^53 become strings; NaN, infinities and missing
 * values become null.
 * @param names of the columns, where the data has none
 * @throws TypeError that names the expected and the given data
 */
export function toRows(data: unknown, names: readonly string[] = []): CollectedRow[] {
  if (typeof data !== 'object' || data === null) throw unfit(data);
  if (isList(data)) return Array.from(data, (item, index) => rowOf(item, names, index));
  if (isListable(data)) return rowsOfColumns([[names.length === 1 ? (names[0] ?? '') : '', tensorRows(data)]], names);
  const columns = Object.entries(data).map(([name, value]): [string, unknown] => [name, isListable(value) ? tensorRows(value) : value]);
  return rowsOfColumns(columns, names);
}

/** An item of an array of rows. */
function rowOf(item: unknown, names: readonly string[], index: number): CollectedRow {
  const row: CollectedRow = {};
  if (typeof item === 'object' && item !== null && !isList(item) && !isListable(item)) {
    for (const [name, value] of Object.entries(item)) spread(row, name, value);
    return row;
  }
  if (!isList(item)) {
    if (typeof item === 'function' || typeof item === 'symbol') throw unfit(item, `row ${index}`);
    spread(row, names[0] ?? DEFAULT_COLUMN, item);
    return row;
  }
  for (const [column, value] of Array.from(item).entries()) spread(row, names[column] ?? `column_${column}`, value);
  return row;
}

/**
 * Columns of the same length; a single value stands in every row. An object of single values is one
 * row.
 */
function rowsOfColumns(columns: readonly [string, unknown][], names: readonly string[]): CollectedRow[] {
  if (columns.length === 0) throw new TypeError('collect: expected rows, columns or tensors, got an object without any');
  const lists = columns.flatMap(([name, value]) => (isList(value) ? [{ name, length: value.length }] : []));
  const lengths = new Set(lists.map((list) => list.length));
  if (lengths.size > 1) {
    const got = lists.map((list) => `${list.name}: ${list.length}`);
    throw new TypeError(`collect: expected columns of the same length, got ${got.join(', ')}`);
  }
  const [length = 1] = lengths;
  return Array.from({ length }, (_, index) => {
    const row: CollectedRow = {};
    for (const [name, value] of columns) {
      const item = isList(value) ? value[index] : value;
      // One tensor has no name of its own, but its columns may.
      if (name === '' && isList(item)) for (const [column, each] of Object.entries(rowOf(item, names, index))) put(row, column, each);
      else spread(row, name === '' ? DEFAULT_COLUMN : name, item);
    }
    return row;
  });
}

/** Puts a value into a row. Nested values become columns `name_0`, `name_1`, ... or `name.key`. */
function spread(row: CollectedRow, name: string, value: unknown): void {
  if (isList(value)) for (const [index, item] of Array.from(value).entries()) spread(row, `${name}_${index}`, item);
  else if (value instanceof Date) put(row, name, Number.isNaN(value.valueOf()) ? null : value.toISOString());
  else if (isListable(value)) spread(row, name, tensorRows(value));
  else if (typeof value === 'object' && value !== null)
    for (const [key, item] of Object.entries(value)) spread(row, `${name}.${key}`, item);
  else put(row, name, cell(value));
}

/** Sets a cell also where a column has the name that changes an object's prototype. */
function put(row: CollectedRow, name: string, value: Cell): void {
  if (name === '__proto__') Object.defineProperty(row, name, { value, enumerable: true, configurable: true, writable: true });
  else row[name] = value;
}

function cell(value: unknown): Cell {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  return typeof value === 'string' || typeof value === 'boolean' ? value : null;
}

/** The items along the first dimension: single values, or flat lists of the values below it. */
function tensorRows({ type, dims, data }: Tensor): unknown {
  const values: ArrayLike<unknown> = valuesOf({ type, data });
  const at = (index: number): unknown => (type === 'bool' ? values[index] === 1 : values[index]);
  const [rows, ...below] = dims;
  if (rows === undefined) return at(0);
  const width = sizeOf(below);
  if (below.length === 0 || width === 1) return Array.from({ length: rows }, (_, row) => at(row));
  return Array.from({ length: rows }, (_, row) => Array.from({ length: width }, (__, column) => at(row * width + column)));
}

function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}

/** True for a tensor whose elements can be listed. */
function isListable(value: unknown): value is Tensor {
  return typeof value === 'object' && value !== null && isTensor(value) && typeof value.type === 'string' && isList(value.data);
}

function unfit(given: unknown, where = 'data'): TypeError {
  return new TypeError(`collect: expected rows, columns or tensors as ${where}, got ${given === null ? 'null' : typeof given}`);
}
