import type { Tensor } from '../entry-script.ts';
import { isTensor, isTypedArray, valuesOf } from './tensor.ts';
import { isShape, sizeOf } from './tensor-shape.ts';

/** Values with an item for each row of a batch. */
interface Column {
  readonly rows: number;
  readonly at: (row: number) => unknown;
}

/**
 * The body of an answer to instances: `{"predictions": ...}`. An object with that member is the
 * body already.
 * @param rows instances of the request; undefined: it does not say
 */
export function predictionsOf(value: unknown, rows: number | undefined): object {
  if (isPlain(value) && Object.hasOwn(value, 'predictions')) return value;
  return { predictions: perRow(value, rows) };
}

/**
 * Columns of one length as an object for each row, as TF Serving answers; a single column is its
 * values. Other values stay as they are.
 * @param rows that each column needs; undefined: any number
 */
export function perRow(value: unknown, rows: number | undefined): unknown {
  if (!isPlain(value)) return value;
  const names = Object.keys(value);
  const columns: Column[] = [];
  for (const name of names) {
    const column = columnOf(value[name]);
    if (column === undefined || column.rows !== (rows ?? columns[0]?.rows ?? column.rows)) return value;
    columns.push(column);
  }
  const [first, ...others] = columns;
  if (first === undefined) return value;
  if (others.length === 0) return value[names[0] ?? ''];
  return Array.from({ length: first.rows }, (_, row) => rowOf(names, columns, row));
}

function rowOf(names: readonly string[], columns: readonly Column[], row: number): object {
  // A name may be `__proto__`: fromEntries makes a member of it.
  return Object.fromEntries(names.map((name, index) => [name, columns[index]?.at(row)]));
}

function columnOf(value: unknown): Column | undefined {
  if (Array.isArray(value)) return { rows: value.length, at: (row) => value[row] };
  if (isTypedArray(value)) return { rows: value.length, at: (row) => value[row] };
  return typeof value === 'object' && value !== null && isTensor(value) ? columnOfTensor(value) : undefined;
}

/** Undefined for a scalar, and for a tensor that has no answer. */
function columnOfTensor(tensor: Tensor): Column | undefined {
  const { type, dims, data } = tensor;
  const [rows, ...below] = dims;
  if (rows === undefined || !isShape(dims) || data.length !== sizeOf(dims)) return undefined;
  const values = valuesOf(tensor);
  if (below.length === 0) return { rows, at: (row) => (type === 'bool' ? Boolean(values[row]) : values[row]) };
  const width = sizeOf(below);
  const part = (from: number): Tensor['data'] => (Array.isArray(data) ? data.slice(from, from + width) : data.subarray(from, from + width));
  return { rows, at: (row) => ({ type, dims: below, data: part(row * width) }) };
}

/** An object of names and values, and no list, tensor, Map or instance of a class. */
function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || isTensor(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return (prototype === Object.prototype || prototype === null) && typeof Reflect.get(value, 'toJSON') !== 'function';
}
