import { readdirSync, readFileSync, statSync, type Dirent, type Stats } from 'node:fs';
import { join } from 'node:path';

/** What a path leads to; undefined where that cannot be told: nothing is there, a link leads nowhere or in a circle, or access is denied. */
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

/** In order of their names. @throws where the folder cannot be read */
export function entriesOf(folder: string): Dirent[] {
  return readdirSync(folder, { withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** As `entriesOf`; nothing where the folder cannot be read: the `lost+found` of a volume, say, is root's alone. */
export function readableEntries(folder: string): Dirent[] {
  try {
    return entriesOf(folder);
  } catch {
    return [];
  }
}

/** What this server, an operating system or a tool leaves in a folder. */
const LEFT_BEHIND = new Set(['modelDataCollector', 'lost+found']);

/** Nobody has put a visible file there, and nobody has mounted a volume there: an empty one is one that somebody meant to fill. */
export function isUntouched(folder: string): boolean {
  return !isMountPoint(folder) && readableEntries(folder).every(({ name }) => name.startsWith('.') || LEFT_BEHIND.has(name));
}

/** True where a file system is mounted at exactly this path; false also where that cannot be told. */
export function isMountPoint(folder: string): boolean {
  try {
    // The fifth word of a line is the mount point; spaces and the like are octal there.
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

/** What is below a folder, four spaces a level, folders with a slash, at most 200 lines (contract 2.2). Never throws. */
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
