import assert from 'node:assert/strict';

/** Shorter runs are not compared, because caches and the compiler cost as much. */
const QUICK_MS = 100;
const RUNS = 5;
/**
 * Linear code may look otherwise once, while the machine is busy. Other code looks so each time.
 */
const TRIES = 3;

/**
 * Asserts that the time at most triples when the size doubles.
 * @param make an input of a size;
 * @param use is timed, best of some runs
 */
export function assertLinear<T>(name: string, from: number, make: (size: number) => T, use: (input: T) => unknown): void {
  const [fewer, more] = [make(from), make(4 * from)];
  for (let left = TRIES; ; left--) {
    const large = best(more, use);
    if (large < QUICK_MS) return;
    const small = best(fewer, use);
    if (large <= 9 * small) return;
    assert.ok(left > 1, `${name}: ${small} ms for ${from}, ${large} ms for four times as much`);
  }
}

/** Milliseconds of CPU: what other processes take does not count. */
function best<T>(input: T, use: (input: T) => unknown): number {
  let ms = Infinity;
  for (let run = 0; run < RUNS && ms > QUICK_MS / 20; run++) {
    const began = process.threadCpuUsage();
    try {
      use(input);
    } catch {
      // Other tests check its answers.
    }
    const { user, system } = process.threadCpuUsage(began);
    ms = Math.min(ms, (user + system) / 1000);
  }
  return ms;
}
