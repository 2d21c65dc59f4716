import type { SampleType, StandardTypeOptions } from '../../entry-script.ts';
import { kindOf } from '../../guards/kind-of.ts';
import { MOST_LEVELS } from '../../guards/nesting.ts';
import { bufferFrom } from '../../guards/built-ins.ts';
import type { Json, Schema } from '../../ipc/script-schemas.ts';
import { BOOLEAN, DATE_TIME, dateParts, DeclarationError, type Described, DOUBLE, INTEGER, isPlain, TEXT } from './described.ts';
import { DeclaredType } from './sample-type.ts';

/**
 * The type of a sample: `standardType({ city: 'Bonn', rooms: 3 })`. Members of it may be types of
 * their own. Azure's StandardPythonParameterType.
 * @throws TypeError for a sample without a JSON form
 */
export function standardType(sample: unknown, { type: kind, optional }: StandardTypeOptions = {}): SampleType {
  if (sample === undefined || sample === null) throw new DeclarationError(`standardType(): expected a sample, got ${kindOf(sample)}`);
  return new DeclaredType(kind === undefined ? describe(sample, '', 0) : named(sample, kind), optional);
}

/** A kind that a value of JavaScript does not show. */
function named(sample: unknown, kind: NonNullable<StandardTypeOptions['type']>): Described {
  switch (kind) {
    case 'float':
      if (typeof sample !== 'number' || !Number.isFinite(sample)) throw wrongKind(kind, 'a finite number', sample);
      return scalar(DOUBLE, sample);
    case 'date':
      if (typeof sample !== 'string' || !/^\d{4}-\d\d-\d\d$/.test(sample)) throw wrongKind(kind, 'a text like 2020-01-31', sample);
      return scalar({ type: 'string', format: 'date' }, sample);
    case 'time':
      if (typeof sample !== 'string' || !/^\d\d:\d\d:\d\d$/.test(sample)) throw wrongKind(kind, 'a text like 23:59:59', sample);
      return scalar({ type: 'string', format: 'time' }, `${sample}.000000 +0000`);
    default:
      kind satisfies never;
      throw new DeclarationError(`standardType(): expected a type of float, date, time, got ${String(kind)}`);
  }
}

function wrongKind(kind: string, expected: string, sample: unknown): DeclarationError {
  return new DeclarationError(`standardType() with the type ${kind}: expected ${expected}, got ${kindOf(sample)}`);
}

/** @param place of the value in the sample, as a JSON pointer */
function describe(value: unknown, place: string, depth: number): Described {
  if (depth > MOST_LEVELS) throw new DeclarationError(`standardType(): expected at most ${MOST_LEVELS} levels, got more`);
  if (value instanceof DeclaredType) return value.described;
  if (typeof value === 'boolean') return scalar(BOOLEAN, value);
  if (typeof value === 'string') return scalar(TEXT, value);
  if (typeof value === 'number' && Number.isFinite(value)) return scalar(Number.isInteger(value) ? INTEGER : DOUBLE, value);
  if (value === null) return { shown: { type: 'object' }, checked: {}, example: null, mixed: false };
  if (value instanceof Date) return dateTime(value);
  if (value instanceof Uint8Array) {
    const shown = { type: 'string', format: 'byte' };
    const checked = { type: 'string', pattern: '^[A-Za-z0-9+/]*={0,2}$' };
    return { shown, checked, example: bufferFrom(value).toString('base64'), mixed: false };
  }
  if (Array.isArray(value)) return list(value, place, depth);
  if (isPlain(value)) return members(value, place, depth);
  throw new DeclarationError(`standardType(): expected a value of JSON at "${place}" of the sample, got ${kindOf(value)}`);
}

function scalar(schema: Schema, example: Json): Described {
  return { shown: schema, checked: schema, example, mixed: false };
}

function dateTime(date: Date): Described {
  const { day, time, millis } = dateParts(date);
  return { shown: DATE_TIME, checked: TEXT, example: `${day} ${time}.${millis}000 +0000`, mixed: false };
}

/** Azure's schema of a list has the last item's schema for all. */
function list(items: readonly unknown[], place: string, depth: number): Described {
  const described = items.map((item, at) => describe(item, `${place}/${at}`, depth + 1));
  const last = described.at(-1);
  const differs = new Set(described.map(kindInPython)).size > 1;
  return {
    shown: { type: 'array', items: last?.shown ?? { type: 'object' } },
    checked: { type: 'array', ...(last !== undefined && !differs && { items: last.checked }) },
    example: described.map(({ example }) => example),
    // As the package decides it: it does not look into objects of a list.
    mixed: differs || described.some(({ mixed, example }) => mixed && Array.isArray(example)),
  };
}

/** The type of an example's value in Python, which has two of numbers. */
function kindInPython({ shown, example }: Described): string {
  return typeof example === 'number' ? JSON.stringify(shown['type']) : kindOf(example);
}

function members(value: Readonly<Record<string, unknown>>, place: string, depth: number): Described {
  const described = Object.entries(value).map(([name, member]) => [name, describe(member, `${place}/${name}`, depth + 1)] as const);
  const required = Object.keys(value);
  const optional = new Set(required.filter((name) => value[name] instanceof DeclaredType && value[name].optional));
  const pick = (of: (part: Described) => Json): Schema => Object.fromEntries(described.map(([name, part]) => [name, of(part)]));
  return {
    shown: { type: 'object', required, properties: pick(({ shown }) => shown) },
    checked: { type: 'object', required: required.filter((name) => !optional.has(name)), properties: pick(({ checked }) => checked) },
    example: pick(({ example }) => example),
    mixed: described.some(([, { mixed }]) => mixed),
  };
}
