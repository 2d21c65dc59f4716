import { execFile } from 'node:child_process';
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
const MiB = 2 ** 20;
/** No machine has more GPUs: what is printed beyond is no table. */
const MOST_GPUS = 64;
const LONGEST_OUTPUT = 64 * 1024;

const TIMES = {
  /** Between the end of a run and the next. */
  pauseMs: 10_000,
  /** Longest run. */
  limitMs: 5000,
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
  #askedAt = 0;
  /** A run is under way, or planned. */
  #active = false;

  /** @param times tests bring their own */
  constructor(env: Variables, times = TIMES) {
    this.#env = env;
    this.#times = times;
  }

  /** The last readings, without a wait. None before the first run, or where it failed. */
  read(): readonly GpuReading[] {
    this.#askedAt = performance.now();
    if (!this.#active) this.#run();
    return this.#readings;
  }

  #run(): void {
    this.#active = performance.now() - this.#askedAt < this.#times.lastingMs;
    if (!this.#active) {
      this.#readings = [];
      return;
    }
    // A child that cannot be killed, because it waits for the driver, has no successor.
    const done = (error: Error | null, stdout: string): void => {
      this.#readings = error === null ? parseGpus(stdout) : [];
      setTimeout(() => this.#run(), this.#times.pauseMs).unref();
    };
    const options = { env: this.#env, timeout: this.#times.limitMs, killSignal: 'SIGKILL', maxBuffer: LONGEST_OUTPUT } as const;
    try {
      execFile('nvidia-smi', QUERY, options, done);
    } catch (thrown) {
      done(thrown instanceof Error ? thrown : new Error('nvidia-smi cannot be started'), '');
    }
  }
}

/** Lines of another form are left out. */
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
    }));
}

/** Undefined for `[N/A]` and its like, which slices of a GPU (MIG) have. */
function numberOf(cell: string | undefined, unit: number): number | undefined {
  return cell !== undefined && /^\d{1,12}$/.test(cell) ? Number(cell) * unit : undefined;
}
