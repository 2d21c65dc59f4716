import { totalmem } from 'node:os';

/** V8's own cap: a larger heap has to be asked for by NODE_OPTIONS. */
const LARGEST_MB = 4096;
const SMALLEST_MB = 64;

/**
 * Megabytes of V8 heap for each of several workers: together they may fill half of the container's memory, the rest is for models, bodies
 * and the host. V8 reads the limit as well, but gives half of it to each process: two busy workers would be killed by the kernel where
 * they could have collected garbage.
 * @param constrained `process.constrainedMemory()`: bytes, 0 where nothing is known, 2^63 or so where there is no limit
 * @returns undefined: what V8 chooses fits
 */
export function workerHeapMb(constrained: number, workers: number, total = totalmem()): number | undefined {
  if (workers === 1) return undefined;
  const memory = memoryHere(constrained, total);
  return Math.max(SMALLEST_MB, Math.min(LARGEST_MB, Math.floor(memory / 2 / workers / 2 ** 20)));
}

const SMALLEST_ROOM = 96 * 2 ** 20;
const LARGEST_ROOM = 2 ** 30;

/**
 * Bytes that all workers together may take: the container's memory less an eighth (96 MiB to 1 GiB) for the host, which takes 60 MB when idle.
 * The host's own limits (QUEUE_MAX_BYTES, ANSWERS_MAX_BYTES) may take more than that; a server that is full on all sides needs a larger container.
 * @param constrained as above
 */
export function workersMemoryBytes(constrained: number, total = totalmem()): number {
  const memory = memoryHere(constrained, total);
  return Math.max(memory / 2, memory - Math.min(LARGEST_ROOM, Math.max(SMALLEST_ROOM, memory / 8)));
}

function memoryHere(constrained: number, total: number): number {
  return constrained > 0 ? Math.min(constrained, total) : total;
}
