import type { Dirent } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** A file that a server has collected. */
export interface CollectedFile {
  /** Absolute. */
  readonly path: string;
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly changed: number;
  /** True: no process appends to it. */
  readonly whole: boolean;
}

/** Folders of one kind of file: so many names, then year, month, day and, with four, the hour. */
interface Shape {
  readonly names: number;
  readonly dates: number;
  readonly whole: boolean;
  isOurs(name: string, folders: readonly string[]): boolean;
}

const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const LINES = new RegExp(`-${UUID}(?:-\\d+)?\\.jsonl$`);
const PAYLOAD = new RegExp(`^${UUID}\\.(?:json|bin)(?:\\.part)?$`);
const ROWS = new RegExp(`^(?:-.*${UUID}(?:-\\d+)?)?\\.csv$`);

/** The layout: docs/data-collection.md. A file of another name is foreign, wherever it lies. */
const SHAPES: readonly Shape[] = [
  { names: 3, dates: 4, whole: false, isOurs: (name) => LINES.test(name) },
  { names: 2, dates: 4, whole: true, isOurs: (name) => PAYLOAD.test(name) },
  {
    names: 7,
    dates: 3,
    whole: false,
    isOurs: (name, { 6: designation = '' }) => name.startsWith(designation) && ROWS.test(name.slice(designation.length)),
  },
];

/**
 * All files of the layout below a folder. Follows no symbolic link, and enters no folder that
 * cannot hold such a file. Leaves out what it may not read.
 */
export async function collectedFiles(root: string): Promise<CollectedFile[]> {
  const files: CollectedFile[] = [];
  const walk = async (folders: readonly string[]): Promise<void> => {
    const folder = join(root, ...folders);
    for (const entry of await entriesOf(folder)) {
      const inside = [...folders, entry.name];
      if (entry.isDirectory() && SHAPES.some((shape) => mayHold(shape, inside))) await walk(inside);
      const shape = entry.isFile() ? SHAPES.find((each) => holds(each, folders) && each.isOurs(entry.name, folders)) : undefined;
      if (shape === undefined) continue;
      const path = join(folder, entry.name);
      // It may be gone by now.
      const stat = await lstat(path).catch(() => undefined);
      if (stat?.isFile() === true) files.push({ path, bytes: stat.size, changed: stat.mtimeMs, whole: shape.whole });
    }
  };
  await walk([]);
  return files;
}

const entriesOf = (folder: string): Promise<Dirent[]> => readdir(folder, { withFileTypes: true }).catch(() => []);

const holds = (shape: Shape, folders: readonly string[]): boolean =>
  folders.length === shape.names + shape.dates && mayHold(shape, folders);

function mayHold({ names, dates }: Shape, folders: readonly string[]): boolean {
  if (folders.length > names + dates) return false;
  return folders.slice(names).every((name, index) => (index === 0 ? /^\d{4}$/ : /^\d\d$/).test(name));
}
