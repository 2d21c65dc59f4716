/** Letters that may be missing, too much or wrong; fewer in short names. */
const MOST_EDITS = 3;
/** Longest names that are compared: the time grows with the square of the length. */
const LONGEST = 64;

/**
 * The name that a typing error meant most likely, of the same letters or a few letters away;
 * undefined if none is near. Case and the characters between words do not count.
 */
export function closest(name: string, names: Iterable<string>): string | undefined {
  const wanted = letters(name);
  let [best, least]: [string | undefined, number] = [undefined, Math.min(MOST_EDITS, Math.floor(wanted.length / 3)) + 1];
  for (const candidate of names) {
    const away = edits(wanted, letters(candidate), least);
    if (away < least) [best, least] = [candidate, away];
  }
  return best;
}

function letters(name: string): string {
  return name
    .slice(0, LONGEST)
    .toLowerCase()
    .replaceAll(/[-_. ]/g, '');
}

/** Letters to add, remove, replace or swap with their neighbour; not exact from `enough` on. */
function edits(one: string, other: string, enough: number): number {
  if (Math.abs(one.length - other.length) >= enough) return enough;
  let [before, last]: number[][] = [[], Array.from({ length: other.length + 1 }, (_, index) => index)];
  for (let row = 1; row <= one.length; row++) {
    const next = [row];
    for (let column = 1; column <= other.length; column++) {
      const same = one[row - 1] === other[column - 1];
      const swapped = one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      next[column] = Math.min(
        at(last, column) + 1,
        at(next, column - 1) + 1,
        at(last, column - 1) + (same ? 0 : 1),
        swapped ? at(before, column - 2) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    [before, last] = [last, next];
  }
  return at(last, other.length);
}

const at = (row: readonly number[] | undefined, column: number): number => row?.[column] ?? Number.POSITIVE_INFINITY;
