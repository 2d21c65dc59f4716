import { isTensor } from '../../tensors/tensor.ts';
import { tooLarge } from '../answer-limit.ts';
import { MOST_LEVELS } from '../../guards/nesting.ts';

/**
 * The least number of characters of a value, or -1 if JSON.stringify is not enough. It is not
 * enough for tensors, bigints, non-finite numbers, objects of a class and too deep nesting.
 * @throws ServerError answer_too_large
 */
export function plainLength(value: unknown, depth: number, most: number): number {
  if (typeof value === 'number') return Number.isFinite(value) ? 1 : -1;
  if (typeof value === 'string') return value.length + 2;
  if (typeof value === 'bigint' || typeof value === 'function' || typeof value === 'symbol') return -1;
  if (typeof value !== 'object' || value === null) return value === undefined ? 0 : 4;
  if (depth === MOST_LEVELS) return -1;
  return Array.isArray(value) ? plainItems(value, depth, most) : plainMembers(value, depth, most);
}

function plainItems(items: readonly unknown[], depth: number, most: number): number {
  // Each item takes a character and a comma or bracket.
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
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every object has members of unknown form; Reflect.get is slower
    const least = plainLength((value as Readonly<Record<string, unknown>>)[key], depth + 1, most);
    if (least < 0) return -1;
    // JSON leaves undefined members out.
    if (least > 0) length += key.length + 3 + least;
    if (length > most) throw tooLarge(most);
  }
  return length;
}
