import { execFileSync } from 'node:child_process';

/** Milliseconds of `node -e 0` on the project's build machines of two cores, at best. */
const BARE_NODE_MS = 45;
/**
 * Starts at least, and at most while none has kept the limits: the others measure what else the
 * machine does.
 */
export const STARTS = { min: 5, max: 15 };

/** How many times slower than the build machines this one starts Node; 1 where it is faster. */
export function slowness(): number {
  const once = (): number => {
    const began = performance.now();
    execFileSync(process.execPath, ['-e', '0'], { timeout: 60_000 });
    return performance.now() - began;
  };
  return Math.max(1, Math.min(...Array.from({ length: 7 }, once)) / BARE_NODE_MS);
}
