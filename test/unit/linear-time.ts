import assert from 'node:assert/strict';

/** What takes less is not measured against anything: other processes cost as much. */
const QUICK_MS = 100;
const RUNS = 5;

/** Asserts that the time at most triples when the size doubles. @param make an input of a size; @param use is timed, best of some runs */
export function assertLinear<T>(name: string, from: number, make: (size: number) => T, use: (input: T) => unknown): void {
  const large = best(make(4 * from), use);
  if (large < QUICK_MS) return;
  const small = best(make(from), use);
  assert.ok(large <= 9 * small, `${name}: ${small} ms for ${from}, ${large} ms for four times as much`);
}

function best<T>(input: T, use: (input: T) => unknown): number {
  let ms = Infinity;
  for (let run = 0; run < RUNS && ms > QUICK_MS; run++) {
    const began = performance.now();
    try {
      use(input);
    } catch {
      // What it answers is for other tests.
    }
    ms = Math.min(ms, performance.now() - began);
  }
  return ms;
}
