import { readFileSync } from 'node:fs';

/**
 * Descriptors that clients may not use: those of workers (three each, more at a spawn), threads,
 * files, sinks and other ports.
 */
const RESERVED = 48;
const LEAST = 16;

/**
 * Most connections of all ports together. Above this limit new connections are closed, so that the
 * host can still start a worker and write a file. Undefined if the system does not say how many
 * descriptors there are.
 * @param limits path of the file with the process's limits
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
