import { types } from 'node:util';
import type { Tensor } from '../../entry-script.ts';
import { formless } from '../../guards/formless.ts';
import { isTensor, isTypedArray, valuesOf } from '../../tensors/tensor.ts';
import { isShape, sizeOf } from '../../tensors/tensor-shape.ts';

/** A value that has rows. */
export interface Rows {
  readonly count: number;
  at(this: void, row: number): unknown;
}

/**
 * The rows of a value: of a tensor those of its first dimension, of an array its items, of an
 * object of such those of all together.
 * @param expected rows that an object must have to be more than one value; undefined: it must be of
 * tensors
 * @returns undefined: the value is a single one
 */
export function rowsOf(value: unknown, expected: number | undefined): Rows | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (Array.isArray(value)) return { count: value.length, at: (row) => value[row] };
  if (isTypedArray(value)) return { count: value.length, at: (row) => value[row] };
  if (isTensor(value)) return rowsOfTensor(value);
  return isPlain(value) ? rowsOfMembers(value, expected) : undefined;
}

/** True for an object whose members are its value. */
export function isPlain(value: object): value is Readonly<Record<string, unknown>> {
  return !('toJSON' in value) && !ArrayBuffer.isView(value) && !types.isBoxedPrimitive(value) && formless(value) === undefined;
}

/** Undefined for a scalar, and where the sizes are wrong: JSON names what is. */
function rowsOfTensor(tensor: Tensor): Rows | undefined {
  const { type, dims, data } = tensor;
  const [count, ...rest] = dims;
  if (count === undefined || !isShape(dims) || data.length !== sizeOf(dims)) return undefined;
  const width = sizeOf(rest);
  if (rest.length > 0) return { count, at: (row): Tensor => ({ type, dims: rest, data: data.slice(row * width, (row + 1) * width) }) };
  const values = valuesOf(tensor);
  return { count, at: (row) => (type === 'bool' ? Boolean(values[row]) : values[row]) };
}

function rowsOfMembers(value: Readonly<Record<string, unknown>>, expected: number | undefined): Rows | undefined {
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  const columns = members.flatMap(([name, member]) => {
    const ofTensor = typeof member === 'object' && member !== null && isTensor(member);
    const rows = Array.isArray(member) || isTypedArray(member) || ofTensor ? rowsOf(member, expected) : undefined;
    return rows !== undefined && (ofTensor || expected !== undefined) ? [[name, rows] as const] : [];
  });
  const count = expected ?? columns[0]?.[1].count;
  if (count === undefined || members.length === 0 || columns.length < members.length) return undefined;
  if (columns.some(([, rows]) => rows.count !== count)) return undefined;
  return { count, at: (row) => Object.fromEntries(columns.map(([name, rows]) => [name, rows.at(row)])) };
}
