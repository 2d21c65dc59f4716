import { readFileSync } from 'node:fs';
import type { WorkerRow } from '../telemetry/worker-metrics.ts';
import type { PoolWorker } from './pool-worker.ts';

/** Memory and CPU time of one process. */
export interface Usage {
  /** Bytes that no file backs: the kernel can take back what is mapped from files. */
  readonly ownBytes: number;
  /** Bytes in RAM, those of mapped files included. */
  readonly residentBytes: number;
  /** Of all its threads, without its children. */
  readonly cpuSeconds: number;
}

/** Clock ticks of /proc in a second: the same on each system that Node supports. */
const TICKS = 100;

/**
 * Reads /proc/<pid>/status and /proc/<pid>/stat, which takes some 25 µs.
 * @returns undefined if the process or its numbers are absent
 */
export function usageOf(pid: number): Usage | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    // A zombie has no such lines.
    if (!status.includes('RssAnon:')) return undefined;
    let [ownKib, residentKib] = [0, 0];
    for (const [, name, kib] of status.matchAll(/^(VmRSS|RssAnon|RssShmem|VmSwap):\s+(\d+) kB/gm)) {
      if (name === 'VmRSS') residentKib = Number(kib);
      else ownKib += Number(kib);
    }
    return { ownBytes: ownKib * 1024, residentBytes: residentKib * 1024, cpuSeconds: cpuSecondsOf(pid) };
  } catch {
    return undefined;
  }
}

function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The second field, the name of the program, may have spaces and parentheses of its own.
  const [, , , , , , , , , , , user, system] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(user) + Number(system)) / TICKS;
}

interface Place {
  /** The newest, alive or not. */
  worker: PoolWorker;
  starts: number;
  /** Of its workers that are gone, as far as it was read. */
  cpuSeconds: number;
  /** A worker that retires, and its replacement. */
  readonly alive: Set<PoolWorker>;
}

/** What the workers in each place of the pool take, replaced ones included. */
export class WorkerUsage {
  readonly #places = new Map<number, Place>();

  started(worker: PoolWorker): void {
    const place = this.#places.get(worker.number);
    if (place === undefined) {
      this.#places.set(worker.number, { worker, starts: 1, cpuSeconds: 0, alive: new Set([worker]) });
      return;
    }
    place.worker = worker;
    place.starts++;
    place.alive.add(worker);
  }

  gone(worker: PoolWorker): void {
    const place = this.#places.get(worker.number);
    if (place?.alive.delete(worker) === true) place.cpuSeconds += worker.usage?.cpuSeconds ?? 0;
  }

  /** One row for each place. Reads nothing: `worker.usage` is at most 200 ms old. */
  rows(): WorkerRow[] {
    return Array.from(this.#places.values(), rowOf);
  }
}

function rowOf({ worker, starts, cpuSeconds, alive }: Place): WorkerRow {
  const usages = Array.from(alive).flatMap(({ usage }) => usage ?? []);
  const row = { worker: worker.number, state: worker.state, starts };
  // Processes that run and were not read: there is no /proc, or not yet a reading.
  if (usages.length === 0 && alive.size > 0 && cpuSeconds === 0) return { ...row, memoryBytes: undefined, cpuSeconds: undefined };
  return {
    ...row,
    memoryBytes: usages.reduce((sum, { residentBytes }) => sum + residentBytes, 0),
    cpuSeconds: usages.reduce((sum, usage) => sum + usage.cpuSeconds, cpuSeconds),
  };
}
