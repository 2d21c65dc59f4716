/** Letters that may be missing, too much or wrong; fewer in short names. */
const MOST_EDITS = 2;

/** The names that are almost the given one, the nearest first: what a typing error meant. */
export function nearNames(name: string, names: readonly string[]): string[] {
  const most = Math.min(MOST_EDITS, Math.floor(name.length / 3));
  return names
    .map((each) => ({ each, edits: edits(name.toLowerCase(), each.toLowerCase(), most) }))
    .filter((found) => found.edits <= most)
    .toSorted((one, other) => one.edits - other.edits)
    .map(({ each }) => each);
}

/** Letters to add, remove, replace or swap with their neighbour. More than `most` is infinity. */
function edits(one: string, other: string, most: number): number {
  if (Math.abs(one.length - other.length) > most) return Number.POSITIVE_INFINITY;
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
