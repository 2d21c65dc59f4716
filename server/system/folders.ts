import { accessSync, constants, readdirSync, readFileSync, realpathSync, statSync, type Dirent, type Stats } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { permissionAdvice } from './permission-model.ts';

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

/**
 * Files and folders that a walk has met, by their real paths. Why: a link may lead back to a folder
 * above it, and two paths may lead to one file.
 */
export class Met {
  readonly #paths = new Set<string>();

  /** True at the first time; false later, and if the path leads nowhere. */
  first(path: string): boolean {
    const real = realPath(path);
    if (real === undefined || this.#paths.has(real)) return false;
    this.#paths.add(real);
    return true;
  }
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

const { R_OK, X_OK } = constants;

/** Why this process may not read a file, and the cure; undefined if it may, or if there is none. */
export function fileDenial(path: string): string | undefined {
  return denial(path, R_OK);
}

/** Why this process may not use what is in a folder, as `fileDenial`. */
export function folderDenial(path: string, purpose: 'enter' | 'list'): string | undefined {
  return isFile(path) ? undefined : denial(path, purpose === 'list' ? R_OK | X_OK : X_OK);
}

function denial(path: string, wanted: number): string | undefined {
  const refused = refusedAccess(path, wanted);
  if (refused !== undefined) return refused;
  if (!isDenied(path, wanted)) return undefined;
  const above = foldersAbove(resolve(path)).find((folder) => isDenied(folder, X_OK));
  const [closed, needed] = above === undefined ? [path, wanted] : [above, X_OK];
  const stat = statOf(closed);
  const mode = stat === undefined ? 'unknown' : (stat.mode & 0o7777).toString(8).padStart(4, '0');
  const owner = stat === undefined ? 'unknown' : `${stat.uid}:${stat.gid}`;
  const user = `${process.geteuid?.()}:${process.getegid?.()}`;
  // The last three bits of a mode are those of accessSync.
  const allowed = stat !== undefined && (stat.mode & needed) === needed;
  const cure = allowed
    ? 'The mode allows it, so SELinux (docker run -v with :z), AppArmor or a file server denies it'
    : `Allow it with chmod -R a+rX ${closed}, or run the server as the owner (runAsUser, fsGroup, docker run --user)`;
  return `permission denied for uid:gid ${user} at ${closed} (mode ${mode}, owner ${owner}). ${cure}`;
}

/** Node's permission model refuses it, whatever the mode is. */
function refusedAccess(path: string, wanted: number): string | undefined {
  try {
    accessSync(path, wanted);
    return undefined;
  } catch (thrown) {
    return permissionAdvice(thrown)?.replace(/\.$/, '');
  }
}

function isDenied(path: string, wanted: number): boolean {
  try {
    accessSync(path, wanted);
    return false;
  } catch (thrown) {
    return thrown instanceof Error && 'code' in thrown && (thrown.code === 'EACCES' || thrown.code === 'EPERM');
  }
}

/** From the root downwards. */
export function foldersAbove(path: string): string[] {
  const above = dirname(path);
  return above === path ? [] : [...foldersAbove(above), above];
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

/**
 * Names of the files and folders that a user has put into a folder, without links back to it or
 * above it; none if it cannot be read.
 */
export function visibleNames(folder: string): string[] {
  const names = readableEntries(folder).map(({ name }) => name);
  const real = `${realPath(folder)}/`;
  return names.filter((name) => {
    if (name.startsWith('.') || LEFT_BEHIND.has(name)) return false;
    const target = realPath(join(folder, name));
    if (target === undefined || real.startsWith(`${target}/`)) return false;
    return isFile(target) || isFolder(target);
  });
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
 * A folder and its content: its name, then four spaces a level, folders with a slash, at most 200
 * lines (docs/http-api.md). A folder to which two paths lead is listed once. Never throws.
 */
export function folderTree(folder: string, most = TREE_LINES): string {
  const lines: string[] = [];
  const met = new Met();
  const visit = (path: string, indent: string): void => {
    const inside = isFolder(path);
    lines.push(`${indent}${basename(path).replaceAll(/\p{Cc}/gu, '?')}${inside ? '/' : ''}`);
    if (!inside || !met.first(path)) return;
    const deeper = `${indent}    `;
    const denied = folderDenial(path, 'list');
    const entries = readableEntries(path);
    if (denied !== undefined) lines.push(`${deeper}(${denied})`);
    else if (entries.length === 0 && indent === '') lines.push(`${deeper}(nothing)`);
    for (const { name } of entries) if (lines.length <= most) visit(join(path, name), deeper);
  };
  visit(folder, '');
  return lines.length > most
    ? [...lines.slice(0, most), `Output truncated: the first ${most} lines are shown.`].join('\n')
    : lines.join('\n');
}
