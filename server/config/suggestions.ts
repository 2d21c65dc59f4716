import { basename, dirname, extname, join } from 'node:path';
import { isFolder, readableEntries, statOf } from '../system/folders.ts';

/** Names that an error lists at most. */
const MOST_LISTED = 10;
/** Longest names that are compared: the time grows with the square of the length. */
const LONGEST = 64;

/**
 * The name that is meant most likely, of the same letters or a few letters away; undefined if none
 * is near. Case and the characters between words do not count.
 */
export function closest(name: string, names: Iterable<string>): string | undefined {
  const wanted = letters(name);
  let [best, least]: [string | undefined, number] = [undefined, Math.min(3, Math.ceil(wanted.length / 4)) + 1];
  for (const candidate of names) {
    const away = distance(wanted, letters(candidate));
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

/** Insertions, removals, replacements and swaps of neighbours that turn one text into the other. */
function distance(a: string, b: string): number {
  let [before, row]: [number[], number[]] = [[], Array.from({ length: b.length + 1 }, (_, index) => index)];
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      const costs = [(row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + same];
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) costs.push((before[j - 2] ?? 0) + 1);
      next.push(Math.min(...costs));
    }
    [before, row] = [row, next];
  }
  return row[b.length] ?? 0;
}

/**
 * What lies beside files that do not exist, as the end of an error: the one that is meant most
 * likely, or a list.
 * @param wanted whether a file of this name could be meant
 */
export function othersLike(paths: readonly string[], wanted: (name: string) => boolean): string {
  const there = paths.map((path) => {
    const entries = readableEntries(dirname(path)).map((entry) => entry.name);
    return { path, folder: dirname(path), names: entries.filter((name) => wanted(name) && !name.startsWith('.')) };
  });
  for (const { path, folder, names } of there) {
    const byStem = new Map(names.map((name) => [stemOf(name), name]));
    const near = byStem.get(closest(stemOf(path), byStem.keys()) ?? '');
    if (near !== undefined) return ` Did you mean ${join(folder, near)}?`;
  }
  const missing = there.find(({ folder }) => statOf(folder) === undefined);
  const nowhere = missing === undefined ? '' : ` There is no folder ${missing.folder}.${folderLike(missing.folder)}`;
  const listed = there.find(({ names }) => names.length > 0);
  if (listed === undefined) return nowhere;
  const { folder, names } = listed;
  return `${nowhere} In ${folder} are: ${names.slice(0, MOST_LISTED).join(', ')}${names.length > MOST_LISTED ? ', ...' : ''}.`;
}

/** The end of an error for a folder that does not exist: the one that is meant most likely. */
export function folderLike(path: string): string {
  const above = dirname(path);
  const names = readableEntries(above).map(({ name }) => name);
  const near = closest(
    basename(path),
    names.filter((name) => isFolder(join(above, name))),
  );
  return near === undefined ? '' : ` Did you mean ${join(above, near)}?`;
}

function stemOf(path: string): string {
  return basename(path, extname(path));
}
