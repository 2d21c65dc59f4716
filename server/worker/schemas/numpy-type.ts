import type { NumpyDtype, NumpyTypeOptions, SampleType } from '../../entry-script.ts';
import { bufferFrom } from '../../guards/built-ins.ts';
import { kindOf } from '../../guards/kind-of.ts';
import type { Json, Schema } from '../../ipc/script-schemas.ts';
import { BOOLEAN, DATE_TIME, dateParts, DeclarationError, isPlain, TEXT } from './described.ts';
import { DeclaredType } from './sample-type.ts';

interface Element {
  readonly shown: Schema;
  readonly checked: Schema;
}

const FLOAT: Schema = { type: 'number', format: 'float' };
const signed = (name: string, bits: number): Element => integer(name, -(2 ** (bits - 1)), 2 ** (bits - 1) - 1);
const unsigned = (name: string, bits: number): Element => integer(name, 0, 2 ** bits - 1);
/** A double cannot hold the bounds of 64 bits. */
const wide = (name: string, least: Schema): Element => ({
  shown: { type: 'integer', format: name },
  checked: { type: 'integer', ...least },
});
const same = (schema: Schema): Element => ({ shown: schema, checked: schema });

function integer(name: string, minimum: number, maximum: number): Element {
  return { shown: { type: 'integer', format: name }, checked: { type: 'integer', minimum, maximum } };
}

/** What Azure's documents say of an element, and what one must fit. */
const elements: Readonly<Record<NumpyDtype, Element>> = {
  int8: signed('int8', 8),
  int16: signed('int16', 16),
  int32: signed('int32', 32),
  int64: wide('int64', {}),
  uint8: unsigned('uint8', 8),
  uint16: unsigned('uint16', 16),
  uint32: unsigned('uint32', 32),
  uint64: wide('uint64', { minimum: 0 }),
  float16: same(FLOAT),
  float32: same(FLOAT),
  float64: same({ type: 'number', format: 'double' }),
  bool: same(BOOLEAN),
  datetime64: { shown: DATE_TIME, checked: TEXT },
  str: same(TEXT),
  bytes: { shown: { type: 'string', format: 'binary' }, checked: TEXT },
};

/** As in NumPy. */
const MOST_DIMENSIONS = 64;

/**
 * The type of an array: `numpyType([[1, 2]], { dtype: 'float64' })`. The first size is free; the
 * others are those of the sample. Azure's NumpyParameterType.
 * @throws TypeError for a sample that is no array of that dtype
 */
export function numpyType(sample: readonly unknown[], options: NumpyTypeOptions = {}): SampleType {
  const { enforceShape = true, enforceColumnType = true, optional } = options;
  const dims = sizesOf(sample);
  const leaves = leavesOf(sample, dims, '');
  const element = elementOf(options.dtype ?? dtypeOf(leaves));
  const size = (axis: number): Schema => {
    const length = dims[axis] ?? 0;
    return axis === 0 || !enforceShape ? {} : { minItems: length, maxItems: length };
  };
  const nested = (inner: Schema, sized: boolean): Schema =>
    dims.reduceRight<Schema>((items, _, axis) => ({ type: 'array', ...(sized && size(axis)), items }), inner);
  const cell = enforceColumnType ? element.checked : {};
  const described = {
    shown: { ...nested(element.shown, false), format: 'numpy.ndarray' },
    checked: enforceShape ? nested(cell, true) : { type: 'array' },
    example: exampleOf(sample, options.dtype === 'bytes'),
    mixed: false,
  };
  checkLeaves(leaves, element.checked);
  return new DeclaredType(described, optional);
}

function sizesOf(sample: unknown): number[] {
  if (!Array.isArray(sample)) throw new DeclarationError(`numpyType(): expected nested arrays as the sample, got ${kindOf(sample)}`);
  const dims: number[] = [];
  for (let at: unknown = sample; Array.isArray(at); at = at[0]) dims.push(at.length);
  if (dims.length > MOST_DIMENSIONS)
    throw new DeclarationError(`numpyType(): expected at most ${MOST_DIMENSIONS} dimensions, got ${dims.length}`);
  return dims;
}

/** @throws DeclarationError where the arrays are not equally long */
function leavesOf(value: unknown, [size, ...inner]: readonly number[], place: string): unknown[] {
  if (size === undefined) {
    if (Array.isArray(value)) throw ragged(place, 'a value', 'an array');
    return [value];
  }
  if (!Array.isArray(value)) throw ragged(place, `an array of ${size}`, kindOf(value));
  if (value.length !== size) throw ragged(place, `an array of ${size}`, `one of ${value.length}`);
  return value.flatMap((item, at) => leavesOf(item, inner, `${place}/${at}`));
}

function ragged(place: string, expected: string, got: string): DeclarationError {
  return new DeclarationError(`numpyType(): expected ${expected} at "${place}" of the sample, as before it, got ${got}`);
}

function dtypeOf(leaves: readonly unknown[]): NonNullable<NumpyTypeOptions['dtype']> {
  const [first] = leaves;
  if (typeof first === 'boolean') return 'bool';
  if (typeof first === 'string') return 'str';
  if (first instanceof Date) return 'datetime64';
  if (isPlain(first)) return Object.fromEntries(Object.entries(first).map(([name, value]) => [name, scalarDtype([value])]));
  return scalarDtype(leaves);
}

function scalarDtype(leaves: readonly unknown[]): NumpyDtype {
  const [first] = leaves;
  if (typeof first === 'boolean') return 'bool';
  if (typeof first === 'string') return 'str';
  return leaves.length > 0 && leaves.every((leaf) => Number.isInteger(leaf)) ? 'int64' : 'float64';
}

function elementOf(dtype: NonNullable<NumpyTypeOptions['dtype']>): Element {
  if (typeof dtype === 'string') {
    if (Object.hasOwn(elements, dtype)) return elements[dtype];
    throw new DeclarationError(`numpyType(): expected a dtype of ${Object.keys(elements).join(', ')}, got ${dtype}`);
  }
  const parts = Object.entries(dtype).map(([name, part]) => [name, elementOf(part)] as const);
  const pick = (of: (part: Element) => Schema): Schema => Object.fromEntries(parts.map(([name, part]) => [name, of(part)]));
  return {
    shown: { type: 'object', properties: pick(({ shown }) => shown) },
    checked: { type: 'object', properties: pick(({ checked }) => checked), required: parts.map(([name]) => name) },
  };
}

/** @throws DeclarationError for a value of the sample that its own type refuses */
function checkLeaves(leaves: readonly unknown[], { type, minimum, maximum }: Schema): void {
  for (const leaf of leaves) {
    const fits =
      type === 'object'
        ? isPlain(leaf)
        : type === 'integer' || type === 'number'
          ? typeof leaf === 'number' && Number.isFinite(leaf) && (type === 'number' || Number.isInteger(leaf))
          : type === 'string'
            ? typeof leaf === 'string' || leaf instanceof Date
            : typeof leaf === 'boolean';
    const below = typeof leaf === 'number' && typeof minimum === 'number' && leaf < minimum;
    const above = typeof leaf === 'number' && typeof maximum === 'number' && leaf > maximum;
    if (!fits || below || above)
      throw new DeclarationError(
        `numpyType(): expected values of type ${JSON.stringify(type)} that fit the dtype, got ${kindOf(leaf)} in the sample`,
      );
  }
}

function exampleOf(value: unknown, isBytes: boolean): Json {
  if (Array.isArray(value)) return value.map((item) => exampleOf(item, isBytes));
  if (isBytes && typeof value === 'string') return bufferFrom(value).toString('base64');
  if (value instanceof Date) {
    const { day, time, millis } = dateParts(value);
    return `${day} ${time},${millis}000`;
  }
  if (isPlain(value)) return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, exampleOf(member, false)]));
  return typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean' ? value : null;
}
