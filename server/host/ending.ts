import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../log.ts';
import { within } from '../guards/within.ts';
import { startOwnThread } from '../system/own-thread.ts';

/** Limit of the last lines of the log. */
const FLUSH_MS = 1000;
/** Limit of calls to the file system and the resolver that are under way. */
const HELD_MS = 500;
/** Time beyond the limit of an exit until the thread that watches it kills the process. */
const WATCH_MARGIN_MS = 2000;
/** Limit of an exit at once, and of one without a drain. */
const AT_ONCE_MS = 2000;

/** Calls under way for which process.exit() waits without a limit, as it does for threads. */
const HOLDS_AN_EXIT = /^(?:FSReq|FileHandle|GetAddrInfo|GetNameInfo)/;

/** The process, as an exit uses it. */
export type EndingProcess = Pick<NodeJS.Process, 'exit' | 'kill' | 'pid' | 'getActiveResourcesInfo'> & {
  readonly execve?: NodeJS.Process['execve'];
};

interface EndingParts {
  readonly host: EndingProcess;
  readonly log: Pick<Log, 'error'>;
  /** Writes the rest of the log. */
  readonly flush: () => void | Promise<void>;
}

/** Ends the process within a limit, whatever a thread, a file system or a pipe does. */
export class Ending {
  readonly #parts: EndingParts;
  #last: NodeJS.Timeout | undefined;

  constructor(parts: EndingParts) {
    this.#parts = parts;
  }

  /**
   * Kills the process after this limit. A later call sets the limit anew.
   * @param limitMs milliseconds
   */
  begin(limitMs: number): void {
    clearTimeout(this.#last);
    watch(limitMs + WATCH_MARGIN_MS);
    this.#last = setTimeout(() => {
      this.#parts.log.error({ limitMs }, 'the exit took longer than all of its limits together: the process ends here');
      void this.atOnce(1);
    }, limitMs);
  }

  /**
   * Writes the rest of the log, and exits.
   * @param threadsEnded false: one of its threads does not end
   */
  async exit(code: number, threadsEnded = true): Promise<void> {
    const { host, log } = this.#parts;
    // A start that fails has no drain that has begun.
    if (this.#last === undefined) this.begin(AT_ONCE_MS);
    const ends = performance.now() + HELD_MS;
    while (holding(host).length > 0 && performance.now() < ends) await delay(20);
    const stuck = [...holding(host), ...(threadsEnded ? [] : ['thread'])];
    if (stuck.length > 0) log.error({ stuck }, 'a thread or a call to the system does not end: the process ends without it');
    await this.#flushed();
    if (!threadsEnded || holding(host).length > 0) this.#leave(code);
    else host.exit(code);
  }

  /** Exits after the rest of the log, without any other wait. */
  async atOnce(code: number): Promise<void> {
    watch(AT_ONCE_MS);
    await this.#flushed();
    this.#leave(code);
  }

  async #flushed(): Promise<void> {
    // A log that cannot be written must not hold the exit.
    const flushing = new Promise<void>((resolve) => resolve(this.#parts.flush()));
    await within(FLUSH_MS, flushing);
  }

  /**
   * Becomes a process that exits with the code. Why: then the kernel ends every thread, and
   * process.exit() waits for each.
   */
  #leave(code: number): void {
    const { host } = this.#parts;
    try {
      host.execve?.('/bin/sh', ['sh', '-c', `exit ${code}`], {});
    } catch {
      // Without a shell, the exit code is lost.
    }
    host.kill(host.pid, 'SIGKILL');
  }
}

/** Calls for which process.exit() would wait. */
const holding = (host: EndingProcess): string[] => host.getActiveResourcesInfo().filter((name) => HOLDS_AN_EXIT.test(name));

/**
 * Starts a thread that kills the process after this time, even while the main thread is stuck in a
 * call.
 */
function watch(ms: number): void {
  const source = `
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ${ms});
    process.kill(process.pid, 'SIGKILL');`;
  try {
    const thread = startOwnThread(source, {
      resourceLimits: { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 1, stackSizeMb: 1 },
    });
    // No descriptor is left for it: the timer has to do.
    thread.on('error', () => undefined);
    thread.unref();
  } catch {
    // No thread: the same.
  }
}
