/** CPU time and memory of a process and its descendants, from /proc. Linux only. */

import { readdirSync, readFileSync } from 'node:fs';

/** The kernel counts CPU time for user space in this unit, whatever its own clock is (USER_HZ). */
const MICROSECONDS_PER_TICK = 10_000;

export interface ProcessStat {
  readonly pid: number;
  readonly parent: number;
  readonly session: number;
  /** CPU time of the process and of its children that have ended. */
  readonly cpuMicroseconds: number;
}

/**
 * Reads /proc/PID/stat. The name, in parentheses, may hold anything, so fields are counted from its
 * end.
 */
export function parseStat(text: string): ProcessStat {
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const field = (number: number): number => fields[number - 3] ?? Number.NaN; // as proc(5) counts them
  const ticks = field(14) + field(15) + field(16) + field(17);
  return { pid: Number.parseInt(text, 10), parent: field(4), session: field(6), cpuMicroseconds: ticks * MICROSECONDS_PER_TICK };
}

/**
 * Reads the proportional set size of /proc/PID/smaps_rollup: memory that is shared counts in parts.
 */
export function parsePss(text: string): number {
  return Number(/^Pss:\s+(\d+) kB$/m.exec(text)?.[1] ?? 0) * 1024;
}

/**
 * The process, what descends from it, and what is left in its session when a parent in between has
 * gone.
 */
export function selectTree(root: number, all: readonly ProcessStat[]): ProcessStat[] {
  const tree = new Set([root]);
  for (let before = 0; before < tree.size;) {
    before = tree.size;
    for (const { pid, parent, session } of all) if (tree.has(parent) || session === root) tree.add(pid);
  }
  return all.filter(({ pid }) => tree.has(pid));
}

const readTree = (root: number): ProcessStat[] =>
  selectTree(
    root,
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((pid) => read(`/proc/${pid}/stat`))
      .filter((text) => text !== '')
      .map(parseStat),
  );

export const treeCpuMicroseconds = (root: number): number => readTree(root).reduce((sum, { cpuMicroseconds }) => sum + cpuMicroseconds, 0);

export const treePssBytes = (root: number): number =>
  readTree(root).reduce((sum, { pid }) => sum + parsePss(read(`/proc/${pid}/smaps_rollup`)), 0);

export const treeIsGone = (root: number): boolean => readTree(root).length === 0;

export function killTree(root: number): void {
  for (const { pid } of readTree(root)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended by itself since the list was made.
    }
  }
}

/** A process may end at any moment; then there is nothing to count. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
