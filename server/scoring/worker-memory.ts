import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { Log } from '../log.ts';
import type { PoolWorker } from './pool-worker.ts';
import { usageOf } from './worker-usage.ts';

/** Limits of workers' memory; bytes. */
export interface MemoryLimits {
  /** Each of them; undefined: only the sum counts. */
  readonly each: number | undefined;
  /** All together. */
  readonly all: number;
}

interface MemoryEvents {
  /** Ends a worker for its memory. */
  kill(worker: PoolWorker): void;
  /** Share of the limit that is taken, after each reading. */
  taken(share: number): void;
}

/**
 * Time between two readings: shorter once half of the limit is taken, because memory may grow by a
 * gigabyte a second.
 */
const READ_MS = 200;
const CLOSE_READ_MS = 25;
/**
 * Thousandths of the memory of the machine, or container. The kernel adds them to a worker's own
 * when it chooses a process to kill.
 */
const KILLED_BEFORE_HOST = 500;
const MOST_ADJUSTED = 1000;
const MiB = 2 ** 20;

/**
 * Ends a worker that takes too much memory, before the kernel has to choose a process to kill. If
 * the kernel is faster, it chooses a worker. Only a worker's own pages count: the kernel
 * takes back what is mapped from files (models, libraries, device memory). The metrics show what it
 * reads.
 */
export class WorkerMemory {
  readonly #limits: MemoryLimits;
  readonly #log: Log;
  readonly #events: MemoryEvents;
  readonly #watched = new Set<PoolWorker>();
  #timer: NodeJS.Timeout | undefined;

  constructor(limits: MemoryLimits, log: Log, events: MemoryEvents) {
    this.#limits = limits;
    this.#log = log;
    this.#events = events;
  }

  /** Until the worker is gone. Called when its process has been started. */
  watch(worker: PoolWorker): void {
    const { pid } = worker.process;
    if (pid === undefined) return;
    volunteer(pid);
    this.#watched.add(worker);
    if (this.#timer === undefined) this.#timer = this.#schedule(READ_MS);
  }

  #schedule(ms: number): NodeJS.Timeout {
    return setTimeout(() => this.#look(), ms).unref();
  }

  #look(): void {
    let all = 0;
    let largest: { readonly worker: PoolWorker; readonly bytes: number } | undefined;
    for (const worker of this.#watched) {
      const { pid } = worker.process;
      const usage = worker.state === 'gone' || pid === undefined ? undefined : usageOf(pid);
      if (usage === undefined) {
        // A process that is there is read again: no descriptor was left, or it is about to go.
        if (worker.state === 'gone' || !existsSync(`/proc/${pid}`)) this.#watched.delete(worker);
        continue;
      }
      worker.usage = usage;
      // The kernel takes a while to free the memory of a worker that was ended. No other worker
      // must pay for it.
      if (worker.ending) continue;
      const bytes = usage.ownBytes;
      all += bytes;
      if (bytes > (largest?.bytes ?? 0)) largest = { worker, bytes };
    }
    const { each = Number.POSITIVE_INFINITY } = this.#limits;
    if (largest !== undefined && (largest.bytes > each || all > this.#limits.all)) this.#end(largest.worker, largest.bytes, all);
    const share = Math.max((largest?.bytes ?? 0) / each, all / this.#limits.all);
    this.#events.taken(share);
    this.#timer = this.#watched.size === 0 ? undefined : this.#schedule(share > 1 / 2 ? CLOSE_READ_MS : READ_MS);
  }

  #end(worker: PoolWorker, bytes: number, all: number): void {
    const { each } = this.#limits;
    const limit =
      each === undefined
        ? `all workers together take ${mib(all)}, and ${mib(this.#limits.all)} is what this container leaves them`
        : `a worker may take ${mib(each)}`;
    worker.tooLarge = `it takes ${mib(bytes)} of memory; ${limit} (WORKER_MEMORY_BYTES)`;
    this.#log.error(
      { worker: worker.number, pid: worker.process.pid, bytes, all, limit: each ?? this.#limits.all, held: worker.scorings.size },
      `a worker is killed and replaced: ${worker.tooLarge}`,
    );
    this.#events.kill(worker);
  }
}

const mib = (bytes: number): string => `${Math.round(bytes / MiB)} MiB`;

/** Makes the kernel kill this process before the host, its parent. */
function volunteer(pid: number): void {
  try {
    const own = Number(readFileSync('/proc/self/oom_score_adj', 'latin1'));
    writeFileSync(`/proc/${pid}/oom_score_adj`, String(Math.min(MOST_ADJUSTED, own + KILLED_BEFORE_HOST)));
  } catch {
    // A sandbox without it: the kernel kills the larger process.
  }
}
