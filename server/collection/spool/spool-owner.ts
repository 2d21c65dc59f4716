import { existsSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';
import { object } from '../../guards/checks.ts';

const FILE = 'owner.json';
/** An owner on another host that shares the volume is gone after so long without a heartbeat. */
const ABANDONED_AFTER_MS = 60_000;

interface Owner {
  readonly host: string;
  readonly pid: number;
  /**
   * Start of the process, from the kernel. Why: a container that is restarted has the same host
   * name and process id.
   */
  readonly started: string;
  /** Thread of that process. A lost one is followed by another, which takes its folder. */
  readonly thread: number;
}

/** Makes a process the owner of a folder. @throws errors of the file system */
export function own(folder: string, pid: number): void {
  writeFileSync(join(folder, FILE), JSON.stringify({ host: hostname(), pid, started: startOf(pid), thread: threadId } satisfies Owner));
}

/** The owner's heartbeat. */
export function touch(folder: string): void {
  try {
    utimesSync(join(folder, FILE), new Date(), new Date());
  } catch {
    // The next write to the folder reports its failure.
  }
}

/** True where the process that owns the folder is gone, or its thread. */
export function isAbandoned(folder: string): boolean {
  const path = join(folder, FILE);
  // No folder of a spool, or one that is being made.
  if (!existsSync(path)) return false;
  try {
    const owner: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (!isOwner(owner)) return isStale(path);
    if (owner.host !== hostname()) return isStale(path);
    if (startOf(owner.pid) !== owner.started) return true;
    return owner.pid === process.pid && owner.thread !== threadId;
  } catch {
    // Half written: its owner still writes it, or exited meanwhile.
    return isStale(path);
  }
}

/** True where the owner's last heartbeat is too old. */
function isStale(path: string): boolean {
  const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
  return age > ABANDONED_AFTER_MS;
}

function isOwner(value: unknown): value is Owner {
  if (!object(value)) return false;
  const { host, pid, started, thread } = value;
  return typeof host === 'string' && typeof pid === 'number' && typeof started === 'string' && typeof thread === 'number';
}

/**
 * Field 22 of /proc/<pid>/stat with the boot id of the machine; empty where there is no such
 * process.
 */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot} ${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''}`;
  } catch {
    return '';
  }
}
