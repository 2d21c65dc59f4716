import { setImmediate } from 'node:timers/promises';
import { clearInterval, setInterval } from 'node:timers';
import { withoutKeys } from '../guards/addresses.ts';
import { stackWithAdvice } from './refused-access.ts';
import type { LoadedScript } from './script/load-entry-script.ts';
import type { ScriptLog } from './script/script-log.ts';

/** Longest interval of a timer, in milliseconds. */
const FOR_EVER = 2 ** 31 - 1;

/** Runs the script's `close()`. Never rejects: an error of it is a line of the log. */
export async function closeScript({ path, close }: LoadedScript, log: ScriptLog): Promise<void> {
  if (close === undefined) return;
  // Without a timer, a process exits at a promise that nothing will settle. Only the host's limit
  // ends the wait, so that its log names the cause.
  const alive = setInterval(() => undefined, FOR_EVER);
  try {
    await close();
  } catch (thrown) {
    log.error(`close() of ${path} raised an exception: ${withoutKeys(stackWithAdvice(thrown))}`);
  } finally {
    clearInterval(alive);
  }
  // Collectors send their counts a turn of the loop later.
  await setImmediate();
}
