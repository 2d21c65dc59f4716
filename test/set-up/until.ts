import { setTimeout as delay } from 'node:timers/promises';

const PAUSE_MS = 10;

/** Resolves once the condition holds. The time limit of the test ends a wait in vain. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await delay(PAUSE_MS);
}
