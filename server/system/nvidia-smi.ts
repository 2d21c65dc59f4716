import { type ChildProcess, spawn } from 'node:child_process';
import { Socket } from 'node:net';
import type { Variables } from './gpu-devices.ts';

/** One GPU. A number that the driver does not know is undefined. */
export interface GpuReading {
  /** Number of the driver. */
  readonly gpu: number;
  readonly usedBytes: number | undefined;
  readonly totalBytes: number | undefined;
  /** Share of the last sample period in which a kernel ran, 0 to 1. */
  readonly utilization: number | undefined;
}

const QUERY = ['--query-gpu=index,memory.used,memory.total,utilization.gpu', '--format=csv,noheader,nounits'];
/**
 * Runs the program again and again, with an empty line after each table, until it fails or the host
 * ends: then its stdin closes. Why a shell: to start a process costs the host 3 to 14 ms, because
 * the kernel copies its page tables. Those of a shell are small.
 */
const LOOP = `
limit=$1 pause=$2; shift 2
command -v nvidia-smi > /dev/null || exit 127
(while timeout --foreground -s KILL "$limit" nvidia-smi "$@" && echo; do sleep "$pause"; done; kill -KILL 0) &
read -r _; kill -KILL 0`;
/** The shell does not find the program. */
const NOT_THERE = 127;
const MiB = 2 ** 20;
/** No machine has more GPUs: what is printed beyond is no table. */
const MOST_GPUS = 64;
const LONGEST_OUTPUT = 64 * 1024;
/** At a time. Why more than one: the host may have been busy. */
const MOST_TABLES = 8;

const TIMES = {
  /** Between the end of a run and the next. */
  pauseMs: 10_000,
  /** Longest run. */
  limitMs: 5000,
  /** Readings are shown for so long. */
  freshMs: 30_000,
  /** After a failure, before the next attempt. */
  retryMs: 60_000,
  /** After the last question, runs go on for so long. */
  lastingMs: 5 * 60_000,
};

/**
 * Reads GPUs by the program `nvidia-smi` (NVML), in a child process. It runs only while somebody
 * asks, one at a time. A program that is missing, hangs or fails costs its readings alone.
 */
export class NvidiaSmi {
  readonly #env: Variables;
  readonly #times: typeof TIMES;
  #readings: readonly GpuReading[] = [];
  #readAt = Number.NEGATIVE_INFINITY;
  #askedAt = 0;
  #retryAt = 0;
  /** A child that cannot be killed, because it waits for the driver, has no successor. */
  #child: ChildProcess | undefined;

  /** @param times tests bring their own */
  constructor(env: Variables, times: Partial<typeof TIMES> = {}) {
    this.#env = env;
    this.#times = { ...TIMES, ...times };
  }

  /** The last readings, without a wait. None before the first run, or where it failed. */
  read(): readonly GpuReading[] {
    const now = performance.now();
    this.#askedAt = now;
    if (this.#child === undefined && now >= this.#retryAt) this.#tryStart();
    return now - this.#readAt < this.#times.freshMs ? this.#readings : [];
  }

  /** Where descriptors are used up, there is no pipe to read. No scrape may fail for it. */
  #tryStart(): void {
    try {
      this.#start();
    } catch {
      this.#ended(this.#child, null);
    }
  }

  #start(): void {
    const { limitMs, pauseMs } = this.#times;
    const args = ['-c', LOOP, 'sh', String(limitMs / 1000), String(pauseMs / 1000), ...QUERY];
    const child = spawn('/bin/sh', args, { env: this.#env, stdio: ['pipe', 'pipe', 'ignore'], detached: true });
    this.#child = child;
    let text = '';
    child.on('error', () => this.#ended(child, null));
    child.on('exit', (code) => this.#ended(child, code));
    for (const stream of [child.stdin, child.stdout]) {
      stream.on('error', () => undefined);
      if (stream instanceof Socket) stream.unref();
    }
    child.stdout.setEncoding('latin1').on('data', (chunk: string) => {
      const tables = (text + chunk).split('\n\n');
      text = tables.pop() ?? '';
      this.#show(tables.at(-1));
      const asked = performance.now() - this.#askedAt < this.#times.lastingMs;
      if (!asked || text.length > LONGEST_OUTPUT || tables.length > MOST_TABLES) stop(child);
    });
    child.unref();
  }

  #show(table: string | undefined): void {
    if (table === undefined) return;
    this.#readings = parseGpus(table);
    this.#readAt = performance.now();
  }

  #ended(child: ChildProcess | undefined, code: number | null): void {
    if (this.#child !== child) return;
    this.#child = undefined;
    this.#readings = [];
    this.#retryAt = code === NOT_THERE ? Number.POSITIVE_INFINITY : performance.now() + this.#times.retryMs;
  }
}

/** Ends the shell and what it runs. */
function stop({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // They have ended.
  }
}

/** Lines of another form, or without any number, are left out. */
export function parseGpus(text: string): GpuReading[] {
  const rows = text.split('\n').map((line) => line.split(',').map((cell) => cell.trim()));
  return rows
    .filter(([index = '', ...cells]) => /^\d{1,4}$/.test(index) && cells.length === 3)
    .slice(0, MOST_GPUS)
    .map(([index, used, total, utilization]) => ({
      gpu: Number(index),
      usedBytes: numberOf(used, MiB),
      totalBytes: numberOf(total, MiB),
      utilization: numberOf(utilization, 1 / 100),
    }))
    .filter(({ usedBytes, totalBytes, utilization }) => usedBytes !== undefined || totalBytes !== undefined || utilization !== undefined);
}

/** Undefined for `[N/A]` and its like, which slices of a GPU (MIG) have. */
function numberOf(cell: string | undefined, unit: number): number | undefined {
  return cell !== undefined && /^\d{1,12}$/.test(cell) ? Number(cell) * unit : undefined;
}
