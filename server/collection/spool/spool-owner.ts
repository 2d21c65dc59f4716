import { existsSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';

const FILE = 'owner.json';
/** A folder on a shared volume whose owner on another host has not been seen for so long is abandoned. */
const ABANDONED_AFTER_MS = 60_000;

interface Owner {
  readonly host: string;
  readonly pid: number;
  /** When the process started, by the kernel: a container that is started again has the same host name and process id. */
  readonly started: string;
}

/** Says whose folder it is. @throws what the file system throws */
export function own(folder: string, pid: number): void {
  writeFileSync(join(folder, FILE), JSON.stringify({ host: hostname(), pid, started: startOf(pid) } satisfies Owner));
}

/** Says that the owner is alive. */
export function touch(folder: string): void {
  try {
    utimesSync(join(folder, FILE), new Date(), new Date());
  } catch {
    // A folder that cannot be written is noticed when it is needed.
  }
}

/** True when the process that owned the folder is gone. */
export function isAbandoned(folder: string): boolean {
  const path = join(folder, FILE);
  // Not one of ours, or being made.
  if (!existsSync(path)) return false;
  try {
    const owner = JSON.parse(readFileSync(path, 'utf8')) as Owner;
    if (owner.host === hostname()) return startOf(owner.pid) !== owner.started;
    return Date.now() - statSync(path).mtimeMs > ABANDONED_AFTER_MS;
  } catch {
    // Half written: its owner is at it, or died there.
    const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    return age > ABANDONED_AFTER_MS;
  }
}

/** Field 22 of /proc/<pid>/stat, with the boot of the machine, since process ids of containers on one host name are few; empty: no such process. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot} ${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''}`;
  } catch {
    return '';
  }
}
