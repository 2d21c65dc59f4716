import { basename, dirname, extname, join } from 'node:path';
import { closest } from '../guards/closest.ts';
import { isFolder, readableEntries } from '../system/folders.ts';

/** Names that an error lists at most. */
const MOST_LISTED = 10;

/**
 * What lies beside files that do not exist, as the end of an error: the one that is meant most
 * likely, or a list.
 * @param wanted whether a file of this name could be meant
 */
export function othersLike(paths: readonly string[], wanted: (name: string) => boolean): string {
  for (const path of paths) {
    const folder = dirname(path);
    const names = readableEntries(folder)
      .map((entry) => entry.name)
      .filter((name) => wanted(name) && !name.startsWith('.'));
    const byStem = new Map(names.map((name) => [stemOf(name), name]));
    const near = byStem.get(closest(stemOf(path), byStem.keys()) ?? '');
    if (near !== undefined) return ` Did you mean ${near}?`;
    if (names.length > 0)
      return ` In ${folder} are: ${names.slice(0, MOST_LISTED).join(', ')}${names.length > MOST_LISTED ? ', ...' : ''}.`;
  }
  return '';
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
