import { setTimeout } from 'node:timers/promises';
import type { RequestContext } from 'scoring-server';

interface Question {
  readonly how: 'obeys' | 'ignores' | 'spins' | 'answers';
  readonly ms?: number;
  readonly says?: unknown;
}

const seen = { begun: 0, aborted: 0 };

export function init() {}

/**
 * Waits, and obeys its signal or not; `answers` says what was seen so far. Tensors wait for a
 * minute.
 */
export async function run({ how = 'obeys', ms = 60_000, says }: Partial<Question>, { signal }: RequestContext): Promise<unknown> {
  if (how === 'answers') return { pid: process.pid, says, ...seen };
  seen.begun++;
  signal.addEventListener('abort', () => seen.aborted++);
  const until = performance.now() + ms;
  if (how === 'spins') while (performance.now() < until);
  else await setTimeout(ms, undefined, how === 'obeys' ? { signal } : {});
  return 'late';
}
