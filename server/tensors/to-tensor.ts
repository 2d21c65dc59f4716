import type { Tensor, TensorInput, TensorSpec } from '../entry-script.ts';
import { ServerError } from '../errors.ts';
import { excerpt } from '../guards/excerpt.ts';
import { dtypes, type TypedData } from './dtypes.ts';
import { type Elements, type ElementType, elementTypes } from './elements.ts';
import { JsonNumbers } from './json-numbers.ts';
import { claimsTensor, dataOf, isTypedArray, type TensorClaim, valuesOf } from './tensor.ts';
import { expectedShape, inputPlace, isShape, MOST_DIMS, placeOf, shownDims, sizeOf } from './tensor-shape.ts';

/**
 * Checks and converts one input of a script or a client.
 *
 * Nested arrays and scalars carry their own shape. A typed array is the whole tensor: its shape is
 * the model's, with at most one symbolic size. A tensor is checked and used as it is; its data may
 * also be a flat or nested array. Data of the right class is not copied.
 * @throws ServerError invalid_input that names the tensor, the expected and the received form
 */
export function toTensor(spec: TensorSpec, value: TensorInput | TensorClaim | undefined): Tensor {
  if (value instanceof JsonNumbers) return fromNumbers(spec, value);
  if (Array.isArray(value)) return fromNested(spec, value);
  if (ArrayBuffer.isView(value)) return fromView(spec, value);
  if (value === undefined || value === null || typeof value !== 'object') return fromNested(spec, value);
  if (!claimsTensor(value)) throw misfit(spec, 'nested arrays, a typed array, or a tensor {type, dims, data}', 'another object');
  return fromTensor(spec, value);
}

/**
 * Numbers of a JSON body carry their own shape, as nested arrays do, and fit every dtype that can
 * hold them.
 */
function fromNumbers(spec: TensorSpec, { dims, data }: JsonNumbers): Tensor {
  checkDims(spec, dims, shapeText(dims));
  return tensor(spec, dims, convertFlat(spec, data, dims));
}

/**
 * A tensor of any dtype, where the model's holds its values: programs send float64 for float32.
 * @throws ServerError invalid_input
 */
export function fitTensor(spec: TensorSpec, value: Tensor): Tensor {
  if (value.type === spec.type) return fromTensor(spec, value);
  const { dims } = value;
  checkDims(spec, dims, shapeText(dims));
  return tensor(spec, dims, convertFlat(spec, valuesOf(value), dims));
}

/** A typed array: the whole tensor. */
function fromView(spec: TensorSpec, view: ArrayBufferView): Tensor {
  if (!isTypedArray(view)) throw misfit(spec, 'a typed array', 'a DataView');
  const dims = dimsOfFlat(spec, view.length);
  return tensor(spec, dims, convertFlat(spec, view, dims));
}

function fromTensor(spec: TensorSpec, { type, dims, data }: TensorClaim): Tensor {
  if (type !== spec.type) throw misfit(spec, describe(spec), `dtype ${describeValue(type)}`);
  if (!isShape(dims)) throw misfit(spec, expectedShape(dims), shownDims(dims));
  checkDims(spec, dims, shapeText(dims));
  if (!Array.isArray(data) && !isTypedArray(data)) throw misfit(spec, 'data that is an array', describeValue(data));
  if (Array.isArray(data) && Array.isArray(data[0])) {
    const nested = levelsOf(spec, data);
    if (nested.length !== dims.length && nested.at(-1) !== 0)
      throw misfit(spec, `data nested as ${shapeText(dims)} says, or flat`, `[${nested.join(',')}]`);
    return tensor(spec, dims, convertNested(spec, data, dims));
  }
  if (data.length !== sizeOf(dims)) throw misfit(spec, `${sizeOf(dims)} elements for ${shapeText(dims)}`, `${data.length}`);
  return tensor(spec, dims, convertFlat(spec, data, dims));
}

function fromNested(spec: TensorSpec, value: unknown): Tensor {
  // The binding reports [] for a scalar and for an unknown rank alike.
  const dims = shapeOf(spec, value);
  checkDims(spec, dims, dims.length === 0 ? describeValue(value) : shapeText(dims));
  return tensor(spec, dims, convertNested(spec, value, dims));
}

function tensor({ type }: TensorSpec, dims: readonly number[], elements: Elements): Tensor {
  return { type, dims, data: dataOf(elements) };
}

/** The lengths of nested arrays, by their first elements. */
function levelsOf(spec: TensorSpec, value: unknown): number[] {
  const dims: number[] = [];
  for (let level: unknown = value; Array.isArray(level); level = level[0]) {
    if (dims.length === MOST_DIMS) throw misfit(spec, describe(spec), `arrays nested more than ${MOST_DIMS} deep`);
    dims.push(level.length);
  }
  return dims;
}

/** The shape of nested arrays. An empty array has the sizes that the model fixes below it. */
function shapeOf(spec: TensorSpec, value: unknown): number[] {
  const dims = levelsOf(spec, value);
  if (dims.at(-1) !== 0) return dims;
  const below = spec.dims.slice(dims.length);
  const fixed = below.filter((dim) => typeof dim === 'number');
  if (fixed.length < below.length)
    throw misfit(spec, `${describe(spec)} (only a tensor {type, dims, data} can be empty here)`, 'an empty array');
  return [...dims, ...fixed];
}

/** The shape of a typed array: the model's, with at most one size that follows from the length. */
function dimsOfFlat(spec: TensorSpec, length: number): number[] {
  if (spec.dims.length === 0) return length === 1 ? [] : [length];
  const fixed = spec.dims.filter((dim) => typeof dim === 'number');
  if (fixed.length < spec.dims.length - 1)
    throw misfit(spec, `a tensor {type, dims, data}, because ${describe(spec)} leaves more than one size open`, 'a typed array');
  const open = length / sizeOf(fixed);
  if (fixed.length === spec.dims.length ? length !== sizeOf(fixed) : !Number.isInteger(open))
    throw misfit(spec, describe(spec), `a typed array of ${length}`);
  return spec.dims.map((dim) => (typeof dim === 'number' ? dim : open));
}

function checkDims(spec: TensorSpec, dims: readonly number[], got: string): void {
  if (spec.dims.length === 0) return;
  const fits = dims.length === spec.dims.length && spec.dims.every((dim, axis) => typeof dim === 'string' || dim === dims[axis]);
  if (!fits) throw misfit(spec, describe(spec), got);
}

/** Flat data: used as it is where the class is right, else converted element by element. */
function convertFlat(spec: TensorSpec, row: ArrayLike<unknown>, dims: readonly number[]): Elements {
  if (isReady(spec, row)) return row;
  const type = elementTypes[spec.type];
  const elements = type.allocate(row.length);
  const wrong = type.write(elements, 0, row, true);
  if (wrong >= 0) throw misfitElement(spec, type, placeOf(dims, wrong), row[wrong]);
  return elements;
}

/** Subclasses such as Buffer are copied: a script reaches the memory around them. */
function isReady({ type }: TensorSpec, data: ArrayLike<unknown>): data is TypedData | Float16Array {
  const row = dtypes[type];
  switch (row.kind) {
    case 'float':
      return data.constructor === row.numbers || (row.array !== row.numbers && data instanceof row.array);
    case 'integer':
    case 'bigint':
      return data.constructor === row.array;
    case 'boolean':
    case 'string':
      // Each element is checked: a byte may be neither 0 nor 1, and a string may hold a NUL.
      return false;
    default:
      return row satisfies never;
  }
}

/** Nested arrays of the shape `dims`, row by row. */
function convertNested(spec: TensorSpec, value: unknown, dims: readonly number[]): Elements {
  const type = elementTypes[spec.type];
  const position: number[] = [];
  checkSizes(spec, value, dims, position);
  const elements = type.allocate(sizeOf(dims));
  let offset = 0;
  const fill = (level: unknown, axis: number): void => {
    // `checkSizes` has seen an array at every level; a scalar is a row of one.
    const row: readonly unknown[] = Array.isArray(level) ? level : [level];
    if (axis < dims.length - 1) {
      for (let index = 0; index < row.length; index++) {
        position[axis] = index;
        fill(row[index], axis + 1);
      }
      return;
    }
    const wrong = type.write(elements, offset, row, true);
    if (wrong >= 0) throw misfitElement(spec, type, dims.length === 0 ? [] : [...position.slice(0, axis), wrong], row[wrong]);
    offset += row.length;
  };
  fill(value, 0);
  return elements;
}

/**
 * Refuses ragged arrays before memory is taken. Why: the shape comes from the first elements, which
 * may promise too much.
 */
function checkSizes(spec: TensorSpec, value: unknown, dims: readonly number[], position: number[], axis = 0): void {
  if (axis === dims.length) return;
  if (!Array.isArray(value) || value.length !== dims[axis]) {
    const got = Array.isArray(value) ? `${value.length}` : describeValue(value);
    throw misfit(spec, `an array of ${dims[axis]} for ${shapeText(dims)}`, got, position.slice(0, axis));
  }
  if (axis === dims.length - 1) return;
  for (let index = 0; index < value.length; index++) {
    position[axis] = index;
    checkSizes(spec, value[index], dims, position, axis + 1);
  }
}

const shapeText = (dims: readonly number[]): string => `the shape [${dims.join(',')}]`;

/** `float32 [N,10]`; a size without a name is `?`. */
const describe = ({ type, dims }: TensorSpec): string => `${type} [${dims.map((dim) => (dim === '' ? '?' : dim)).join(',')}]`;

function describeValue(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (Array.isArray(value)) return 'an array';
  if (value === Infinity || value === -Infinity) return `the number ${value}, which JSON makes of numbers beyond ±${Number.MAX_VALUE}`;
  return typeof value === 'object' && value !== null ? 'an object' : excerpt(String(value), 40);
}

function misfitElement(spec: TensorSpec, type: ElementType, position: readonly number[], value: unknown): ServerError {
  return misfit(spec, `${type.expected} (${spec.type})`, describeValue(value), position);
}

function misfit({ name }: TensorSpec, expected: string, got: string, position: readonly number[] = []): ServerError {
  return new ServerError('invalid_input', `${inputPlace(name, position)}: expected ${expected}, got ${got}`);
}
