import { basename, dirname, extname, join } from 'node:path';
import { closest } from '../guards/closest.ts';
import { isFolder, readableEntries, statOf } from '../system/folders.ts';

/** Names that an error lists at most. */
const MOST_LISTED = 10;

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
