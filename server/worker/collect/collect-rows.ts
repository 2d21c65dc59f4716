import type { Tensor, TensorData, TensorValue } from '../../entry-script.ts';
import { sizeOf } from '../../tensors/tensor-shape.ts';
import { valuesOf } from '../../tensors/tensor.ts';

/** A cell of a collected row; deeper values are spread over columns. */
type Cell = string | number | boolean | null;
export type CollectedRow = Record<string, Cell>;

/** What can be collected: rows (objects, or arrays of numbers), columns by name, tensors by name, one tensor, or one value for each row. */
export type Collectable =
  | Readonly<Record<string, unknown>>
  | readonly Readonly<Record<string, unknown>>[]
  | readonly TensorValue[]
  | Tensor
  | TensorData;

const DEFAULT_COLUMN = 'value';

/**
 * Flat rows of whatever a script collects. Whole numbers beyond 2^53 become strings; NaN, infinities and what is missing become null.
 * @param names of the columns, where the data has none
 * @throws TypeError that says what was expected and what came
 */
export function toRows(data: Collectable, names: readonly string[] = []): CollectedRow[] {
  const given: unknown = data;
  if (typeof given !== 'object' || given === null) throw unfit(given);
  if (isList(given)) return Array.from(given as ArrayLike<unknown>, (item, index) => rowOf(item, names, index));
  if (isTensor(given)) return rowsOfColumns([[names.length === 1 ? (names[0] ?? '') : '', tensorRows(given)]], names);
  const columns = Object.entries(given).map(([name, value]): [string, unknown] => [name, isTensor(value) ? tensorRows(value) : value]);
  return rowsOfColumns(columns, names);
}

/** An item of an array of rows. */
function rowOf(item: unknown, names: readonly string[], index: number): CollectedRow {
  const row: CollectedRow = {};
  if (typeof item === 'object' && item !== null && !isList(item) && !isTensor(item)) {
    for (const [name, value] of Object.entries(item)) spread(row, name, value);
    return row;
  }
  if (!isList(item)) {
    if (typeof item === 'function' || typeof item === 'symbol') throw unfit(item, `row ${index}`);
    spread(row, names[0] ?? DEFAULT_COLUMN, item);
    return row;
  }
  for (const [column, value] of Array.from(item as ArrayLike<unknown>).entries()) spread(row, names[column] ?? `column_${column}`, value);
  return row;
}

/** Columns of the same length; a single value stands in every row. An object of single values is one row. */
function rowsOfColumns(columns: readonly [string, unknown][], names: readonly string[]): CollectedRow[] {
  if (columns.length === 0) throw new TypeError('collect: expected rows, columns or tensors, got an object without any');
  const lengths = new Set(columns.filter(([, value]) => isList(value)).map(([, value]) => (value as ArrayLike<unknown>).length));
  if (lengths.size > 1) {
    const got = columns.filter(([, value]) => isList(value)).map(([name, value]) => `${name}: ${(value as ArrayLike<unknown>).length}`);
    throw new TypeError(`collect: expected columns of the same length, got ${got.join(', ')}`);
  }
  const [length = 1] = lengths;
  return Array.from({ length }, (_, index) => {
    const row: CollectedRow = {};
    for (const [name, value] of columns) {
      const item = isList(value) ? (value as ArrayLike<unknown>)[index] : value;
      // One tensor has no name of its own, but its columns may.
      if (name === '' && isList(item)) Object.assign(row, rowOf(item, names, index));
      else spread(row, name === '' ? DEFAULT_COLUMN : name, item);
    }
    return row;
  });
}

/** Puts a value into a row; what it has inside becomes columns `name_0`, `name_1`, ... or `name.key`. */
function spread(row: CollectedRow, name: string, value: unknown): void {
  if (isList(value)) for (const [index, item] of Array.from(value as ArrayLike<unknown>).entries()) spread(row, `${name}_${index}`, item);
  else if (value instanceof Date) row[name] = Number.isNaN(value.valueOf()) ? null : value.toISOString();
  else if (isTensor(value)) spread(row, name, tensorRows(value));
  else if (typeof value === 'object' && value !== null)
    for (const [key, item] of Object.entries(value)) spread(row, `${name}.${key}`, item);
  else row[name] = cell(value);
}

function cell(value: unknown): Cell {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  return typeof value === 'string' || typeof value === 'boolean' ? value : null;
}

/** The items along the first dimension: single values, or lists of what is below, flat. */
function tensorRows({ type, dims, data }: Tensor): unknown {
  const values: ArrayLike<unknown> = valuesOf({ type, data });
  const at = (index: number): unknown => (type === 'bool' ? values[index] === 1 : values[index]);
  const [rows, ...below] = dims;
  if (rows === undefined) return at(0);
  const width = sizeOf(below);
  if (below.length === 0 || width === 1) return Array.from({ length: rows }, (_, row) => at(row));
  return Array.from({ length: rows }, (_, row) => Array.from({ length: width }, (__, column) => at(row * width + column)));
}

function isList(value: unknown): boolean {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}

function isTensor(value: unknown): value is Tensor {
  if (typeof value !== 'object' || value === null) return false;
  const { type, dims, data } = value as Partial<Tensor>;
  return typeof type === 'string' && Array.isArray(dims) && typeof data === 'object' && isList(data);
}

function unfit(given: unknown, where = 'data'): TypeError {
  return new TypeError(`collect: expected rows, columns or tensors as ${where}, got ${given === null ? 'null' : typeof given}`);
}
