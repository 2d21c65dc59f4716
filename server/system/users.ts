import { readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { foldersAbove, isFolder, readableEntries, statOf } from './folders.ts';

/** A user as which a process runs. */
export interface User {
  readonly uid: number;
  readonly gid: number;
  /** Folder of its own files. */
  readonly home: string;
}

const PASSWD = '/etc/passwd';
/** Where nobody has a folder. */
const NO_HOME = '/';

/**
 * Finds a user. One without an entry has the group of its own number.
 * @param text `uid`, `uid:gid` or a name
 * @returns undefined if there is no user of that name
 */
export function findUser(text: string, passwd = PASSWD): User | undefined {
  const [, number, group] = /^(\d+)(?::(\d+))?$/.exec(text) ?? [];
  const entry = entriesOf(passwd).find(({ name, uid }) => (number === undefined ? name === text : uid === Number(number)));
  if (number === undefined) return entry && { uid: entry.uid, gid: entry.gid, home: entry.home };
  return { uid: Number(number), gid: Number(group ?? entry?.gid ?? number), home: entry?.home ?? NO_HOME };
}

function entriesOf(passwd: string): (User & { readonly name: string })[] {
  return linesOf(passwd).flatMap((line) => {
    const [, name, uid, gid, home] = /^([^:]+):[^:]*:(\d+):(\d+):[^:]*:([^:]*):/.exec(line) ?? [];
    return name === undefined ? [] : [{ name, uid: Number(uid), gid: Number(gid), home: home || NO_HOME }];
  });
}

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n');
  } catch {
    return [];
  }
}

const BY_GROUP = 0o020;
const BY_OTHERS = 0o002;
const STICKY = 0o1000;

type Ids = Pick<User, 'uid' | 'gid'>;

/**
 * The file or folder on a path that a user may change or replace, by owner and mode; undefined:
 * there is none.
 */
export function changeableBy(user: Ids, path: string): string | undefined {
  const real = realPathOf(path);
  return mayChange(user, real) ? real : foldersAbove(real).findLast((folder) => mayChange(user, folder, STICKY));
}

/** As `changeableBy`, with all that is in the folder at the end of the path. */
export function changeableWithin(user: Ids, path: string): string | undefined {
  return changeableBy(user, path) ?? (isFolder(path) ? changeableIn(user, realPathOf(path)) : undefined);
}

/** The folders of a variable PATH in which a user cannot put or replace programs. */
export function pathClosedTo(user: Ids, path = ''): string {
  const folders = path.split(':').filter((folder) => folder.startsWith('/'));
  return folders.filter((folder) => changeableBy(user, folder) === undefined).join(':');
}

function changeableIn(user: Ids, folder: string): string | undefined {
  for (const entry of readableEntries(folder)) {
    // Workers of each user have their compile cache there. The host's is checked by its own path.
    if (entry.name === '.cache') continue;
    const place = join(folder, entry.name);
    if (mayChange(user, place)) return place;
    const found = entry.isDirectory() ? changeableIn(user, place) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** @param kept bit of folders in which nobody renames or removes what others own */
function mayChange({ uid, gid }: Ids, place: string, kept = 0): boolean {
  const { uid: owner, gid: group, mode } = statOf(place) ?? { uid: -1, gid: -1, mode: 0 };
  const shared = (mode & BY_OTHERS) !== 0 || (group === gid && (mode & BY_GROUP) !== 0);
  return owner === uid || (shared && (mode & kept) === 0);
}

/** Of the nearest folder above it, where the path is not there: who may change that may make it. */
function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return dirname(path) === path ? path : realPathOf(dirname(path));
  }
}

/** Numbers of capabilities (linux/capability.h). */
const CAPABILITIES = { SETGID: 6, SETUID: 7, KILL: 5 } as const;

/** Capabilities for processes of another user that this process lacks. */
export function missingCapabilities(status = '/proc/self/status'): string[] {
  const [, mask] = /^CapEff:\s*([\da-f]+)$/m.exec(linesOf(status).join('\n')) ?? [];
  // A system without them: root may do everything.
  if (mask === undefined) return [];
  return Object.entries(CAPABILITIES).flatMap(([name, bit]) => (((BigInt(`0x${mask}`) >> BigInt(bit)) & 1n) === 1n ? [] : [name]));
}
