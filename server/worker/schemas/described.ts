import type { Json, Schema } from '../../ipc/script-schemas.ts';

/** What is known of a sample. */
export interface Described {
  /** As Azure's documents show it, without examples. */
  readonly shown: Schema;
  /** The JSON Schema that data must fit. */
  readonly checked: Schema;
  readonly example: Json;
  /** Something in it has values of several types, which Swagger 2 cannot express. */
  readonly mixed: boolean;
}

export const INTEGER: Schema = { type: 'integer', format: 'int64' };
export const DOUBLE: Schema = { type: 'number', format: 'double' };
export const TEXT: Schema = { type: 'string' };
export const BOOLEAN: Schema = { type: 'boolean' };
export const DATE_TIME: Schema = { type: 'string', format: 'date-time' };

/** A declaration that cannot be used. The author reads its text. */
export class DeclarationError extends TypeError {
  override readonly name = 'DeclarationError';
}

/** An object whose members are data. */
export function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Digits of a date and time: year, month, day, hour, minute, second, milliseconds. */
export function dateParts(date: Date): { readonly day: string; readonly time: string; readonly millis: string } {
  if (Number.isNaN(date.getTime())) throw new DeclarationError('expected a valid Date, got an invalid one');
  const text = date.toISOString();
  return { day: text.slice(0, 10), time: text.slice(11, 19), millis: text.slice(20, 23) };
}
