import { totalmem } from 'node:os';

/** V8's own cap: only NODE_OPTIONS gives a larger heap. */
const LARGEST_MB = 4096;
const SMALLEST_MB = 64;

/**
 * Megabytes of V8 heap for each of several workers. Together they may fill half of the container's
 * memory; the rest is for models, bodies and the host. Why not V8's own choice: it gives half of
 * the memory to each process. The kernel would then kill one of two busy workers before V8 collects
 * garbage.
 * @param constrained `process.constrainedMemory()`: bytes, 0 if unknown, about 2^63 without a limit
 * @returns undefined: V8's own choice fits
 */
export function workerHeapMb(constrained: number, workers: number, total = totalmem()): number | undefined {
  if (workers === 1) return undefined;
  const memory = memoryHere(constrained, total);
  return Math.max(SMALLEST_MB, Math.min(LARGEST_MB, Math.floor(memory / 2 / workers / 2 ** 20)));
}

const SMALLEST_ROOM = 96 * 2 ** 20;
const LARGEST_ROOM = 2 ** 30;

/**
 * Bytes that all workers together may take: the container's memory less an eighth (96 MiB to 1 GiB)
 * for the host. The host takes 60 MB when idle. QUEUE_MAX_BYTES and ANSWERS_MAX_BYTES allow the
 * host more than that: a server that reaches all limits needs a larger container.
 * @param constrained as above
 */
export function workersMemoryBytes(constrained: number, total = totalmem()): number {
  const memory = memoryHere(constrained, total);
  return Math.max(memory / 2, memory - Math.min(LARGEST_ROOM, Math.max(SMALLEST_ROOM, memory / 8)));
}

function memoryHere(constrained: number, total: number): number {
  return constrained > 0 ? Math.min(constrained, total) : total;
}
