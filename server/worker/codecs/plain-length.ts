import type { Tensor } from '../../entry-script.ts';
import { tooLarge } from '../answer-limit.ts';

/** Plain answers are not deeper; a circular one ends here and is then reported by the encoder. */
const DEEPEST_PLAIN = 200;

/**
 * The least number of characters that a value takes, where JSON.stringify alone writes it right; -1 where it does not: tensors, bigints,
 * non-finite numbers, objects of a class.
 * @throws ServerError answer_too_large
 */
export function plainLength(value: unknown, depth: number, most: number): number {
  if (typeof value === 'number') return Number.isFinite(value) ? 1 : -1;
  if (typeof value === 'string') return value.length + 2;
  if (typeof value === 'bigint' || typeof value === 'function' || typeof value === 'symbol') return -1;
  if (typeof value !== 'object' || value === null) return value === undefined ? 0 : 4;
  if (depth > DEEPEST_PLAIN) return -1;
  return Array.isArray(value) ? plainItems(value, depth, most) : plainMembers(value, depth, most);
}

function plainItems(items: readonly unknown[], depth: number, most: number): number {
  // Each item has a character and a comma or bracket.
  let length = 2 * items.length + 1;
  if (length > most) throw tooLarge(most);
  for (const item of items) {
    if (typeof item === 'number') {
      if (!Number.isFinite(item)) return -1;
      continue;
    }
    const least = plainLength(item, depth + 1, most);
    if (least < 0) return -1;
    length += least - 1;
    if (length > most) throw tooLarge(most);
  }
  return length;
}

function plainMembers(value: object, depth: number, most: number): number {
  const prototype: unknown = Object.getPrototypeOf(value);
  if ((prototype !== Object.prototype && prototype !== null) || 'toJSON' in value || isTensor(value)) return -1;
  let length = 2;
  for (const key in value) {
    const least = plainLength((value as Record<string, unknown>)[key], depth + 1, most);
    if (least < 0) return -1;
    // What is undefined is left out.
    if (least > 0) length += key.length + 3 + least;
    if (length > most) throw tooLarge(most);
  }
  return length;
}

/** A tensor by its shape: ONNX Runtime's own class, this server's, or one that an author made. */
export function isTensor(value: object): value is Tensor {
  return (
    'dims' in value &&
    'type' in value &&
    'data' in value &&
    Array.isArray(value.dims) &&
    (ArrayBuffer.isView(value.data) || Array.isArray(value.data))
  );
}
