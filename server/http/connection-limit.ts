import { readFileSync } from 'node:fs';

/** Descriptors that clients may not take: of workers (three each, more at a spawn), threads, files, sinks and other ports. */
const RESERVED = 48;
const LEAST = 16;

/**
 * Connections that all ports together may hold, so that the host can still start a worker and write a file; one more is closed when it comes.
 * Undefined: the system does not say how many descriptors there are.
 * @param limits where the process's limits stand
 */
export function connectionLimit(limits = '/proc/self/limits'): number | undefined {
  const [, soft] = /^Max open files +(\d+)/m.exec(textOf(limits)) ?? [];
  return soft === undefined ? undefined : Math.max(LEAST, Number(soft) - RESERVED);
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Not Linux.
    return '';
  }
}
