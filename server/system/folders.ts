import { readdirSync, readFileSync, statSync, type Dirent, type Stats } from 'node:fs';
import { join } from 'node:path';

/** The target of a path; undefined if it does not exist, links in a circle, or may not be read. */
export function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

export function isFile(path: string): boolean {
  return statOf(path)?.isFile() === true;
}

export function isFolder(path: string): boolean {
  return statOf(path)?.isDirectory() === true;
}

/** Sorted by name. @throws if the folder cannot be read */
export function entriesOf(folder: string): Dirent[] {
  return readdirSync(folder, { withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** As `entriesOf`; empty if the folder cannot be read, as the `lost+found` of a volume. */
export function readableEntries(folder: string): Dirent[] {
  try {
    return entriesOf(folder);
  } catch {
    return [];
  }
}

/** Entries that this server, an operating system or a tool leaves in a folder. */
const LEFT_BEHIND = new Set(['modelDataCollector', 'lost+found']);

/**
 * It has no visible file of a user, and is no mounted volume. Why: an empty volume is one that a
 * user meant to fill.
 */
export function isUntouched(folder: string): boolean {
  return !isMountPoint(folder) && readableEntries(folder).every(({ name }) => name.startsWith('.') || LEFT_BEHIND.has(name));
}

/** True if a file system is mounted at exactly this path; false if that cannot be read. */
export function isMountPoint(folder: string): boolean {
  try {
    // The fifth word of a line is the mount point, with spaces and the like in octal.
    const points = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
    return points.some((line) => unescaped(line.split(' ')[4] ?? '') === folder);
  } catch {
    return false;
  }
}

function unescaped(text: string): string {
  return text.replaceAll(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

const TREE_LINES = 200;

/**
 * Content of a folder: four spaces a level, folders with a slash, at most 200 lines
 * (docs/http-api.md). Never throws.
 */
export function folderTree(folder: string, most = TREE_LINES): string {
  const lines: string[] = [];
  const visit = (path: string, indent: string): void => {
    for (const { name } of entriesOf(path)) {
      if (lines.length > most) return;
      const child = join(path, name);
      const inside = isFolder(child);
      lines.push(`${indent}${name.replaceAll(/\p{Cc}/gu, '?')}${inside ? '/' : ''}`);
      if (inside) visit(child, `${indent}    `);
    }
  };
  try {
    visit(folder, '    ');
  } catch {
    lines.push('    (it cannot be read)');
  }
  return lines.length > most ? [...lines.slice(0, most), '    ...'].join('\n') : lines.join('\n') || '    (nothing)';
}
