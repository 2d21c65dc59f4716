import { excerpt } from '../guards/excerpt.ts';

/** Most axes of a tensor, more than any model has. It bounds the recursion over nested data. */
export const MOST_DIMS = 64;
/**
 * Most rows of a tensor without elements. Why: its sizes cost the sender nothing. Walking its rows,
 * or a sum along the axis that is 0, takes time and memory for each row.
 */
const MOST_EMPTY = 2 ** 24;

/** True for sizes that a tensor can have. */
export function isShape(dims: unknown): dims is readonly number[] {
  if (!Array.isArray(dims) || dims.length > MOST_DIMS) return false;
  let size = 1;
  for (const dim of dims as unknown[]) {
    if (!Number.isSafeInteger(dim) || Number(dim) < 0) return false;
    if (dim !== 0) size *= Number(dim);
  }
  return dims.includes(0) ? size <= MOST_EMPTY : Number.isSafeInteger(size);
}

/** How many elements a tensor of these sizes has. */
export const sizeOf = (dims: readonly number[]): number => dims.reduce((size, dim) => size * dim, 1);

/** The sizes that are allowed, for messages. */
export function expectedShape(dims: unknown): string {
  const empty =
    Array.isArray(dims) &&
    dims.length <= MOST_DIMS &&
    dims.includes(0) &&
    dims.every((dim) => Number.isSafeInteger(dim) && Number(dim) >= 0);
  return empty ? `sizes that multiply to at most ${MOST_EMPTY} beside a 0` : `at most ${MOST_DIMS} dimensions, whole numbers from 0`;
}

/** Sizes of any form, for messages. */
export function shownDims(dims: readonly unknown[]): string {
  const shown = Array.from(dims.slice(0, MOST_DIMS), (dim) =>
    typeof dim === 'number' ? String(dim) : typeof dim === 'string' ? `"${excerpt(dim, 20)}"` : typeof dim,
  );
  return `[${shown.join(',')}${dims.length > MOST_DIMS ? ',…' : ''}]`;
}

/** The indices of an element by its flat, row-major index in a tensor of these sizes. */
export function placeOf(dims: readonly number[], flat: number): number[] {
  const place: number[] = [];
  let rest = flat;
  for (const size of dims.toReversed()) {
    place.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return place;
}

/** An input, or an element of it, in a message: `input x[1][0]`. */
export function inputPlace(name: string, place: readonly number[] = []): string {
  return `input ${excerpt(name)}${place.map((index) => `[${index}]`).join('')}`;
}
