import { accessSync, chownSync, constants, lstatSync, mkdirSync } from 'node:fs';
import { getCompileCacheDir } from 'node:module';
import { basename, join } from 'node:path';
import { statOf } from '../system/folders.ts';
import type { User } from '../system/users.ts';

interface Rights {
  /** Undefined: the user of this process. */
  readonly user: User | undefined;
  /** Node's permission model is on: its processes ask for a cache that they may write. */
  readonly model: boolean;
}

/**
 * The folder of V8's compile cache for workers. It is another one than the host's where a script
 * could change that, because the host loads code from it.
 * @param hosts NODE_COMPILE_CACHE of the host
 * @param used the folder in it that Node has chosen
 */
export function workersCache(hosts: string | undefined, { user, model }: Rights, used = getCompileCacheDir()): string | undefined {
  if (hosts === undefined || (user === undefined && !model)) return hosts;
  if (user === undefined) return mayWrite(hosts) ? `${hosts}-workers` : hosts;
  // The image has a folder for its user, which only root can write.
  const theirs = used === undefined ? undefined : join(hosts, basename(used).replace(/\d+$/, String(user.uid)));
  if (theirs !== undefined && statOf(theirs) !== undefined) return hosts;
  const own = `${hosts}-workers-${user.uid}`;
  return makeFor(user, own) ? own : hosts;
}

function mayWrite(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Makes a folder for a user. False where it is not that user's, or cannot be made. */
function makeFor({ uid, gid }: User, folder: string): boolean {
  try {
    if (lstatSync(folder, { throwIfNoEntry: false }) === undefined) {
      mkdirSync(folder, { mode: 0o700 });
      chownSync(folder, uid, gid);
    }
    const found = lstatSync(folder);
    return found.isDirectory() && found.uid === uid;
  } catch {
    return false;
  }
}
