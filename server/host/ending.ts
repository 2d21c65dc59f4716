import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Log } from '../log.ts';
import { within } from '../guards/within.ts';

/** What the last lines of the log may take. */
const FLUSH_MS = 1000;
/** What calls to the file system and the resolver that are under way may take to return. */
const HELD_MS = 500;
/** Beyond the limit of an exit, until the thread that watches it ends the process. */
const WATCH_MARGIN_MS = 2000;
/** A second signal is obeyed within that. */
const AT_ONCE_MS = 2000;

/** process.exit() waits without a limit for threads, and for calls of these kinds that are under way. */
const HOLDS_AN_EXIT = /^(?:FSReq|FileHandle|GetAddrInfo|GetNameInfo)/;

/** What an exit needs of the process. */
export type EndingProcess = Pick<NodeJS.Process, 'exit' | 'kill' | 'pid' | 'getActiveResourcesInfo'> & {
  readonly execve?: NodeJS.Process['execve'];
};

interface Parts {
  readonly host: EndingProcess;
  readonly log: Pick<Log, 'error'>;
  /** Writes what is left of the log. */
  readonly flush: () => void | Promise<void>;
}

/** The way out. Once it has begun, the process ends within a limit, whatever a thread, a file system or a pipe does. */
export class Ending {
  readonly #parts: Parts;
  #last: NodeJS.Timeout | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** From now on the process has so long to end; then it is ended. A later call sets the limit anew. @param limitMs milliseconds */
  begin(limitMs: number): void {
    clearTimeout(this.#last);
    watch(limitMs + WATCH_MARGIN_MS);
    this.#last = setTimeout(() => {
      this.#parts.log.error({ limitMs }, 'the exit took longer than all of its limits together: the process ends here');
      void this.atOnce(1);
    }, limitMs);
  }

  /** Writes the rest of the log, and ends the process. @param threadsEnded false: one of its threads does not end */
  async exit(code: number, threadsEnded = true): Promise<void> {
    const { host, log } = this.#parts;
    const ends = performance.now() + HELD_MS;
    while (holding(host).length > 0 && performance.now() < ends) await delay(20);
    const stuck = [...holding(host), ...(threadsEnded ? [] : ['thread'])];
    if (stuck.length > 0) log.error({ stuck }, 'a thread or a call to the system does not end: the process ends without it');
    await this.#flushed();
    if (!threadsEnded || holding(host).length > 0) this.#leave(code);
    else host.exit(code);
  }

  /** Ends the process without waiting for anything but the log. */
  async atOnce(code: number): Promise<void> {
    watch(AT_ONCE_MS);
    await this.#flushed();
    this.#leave(code);
  }

  async #flushed(): Promise<void> {
    // A log that cannot be written is no reason to stay.
    const flushing = new Promise<void>((resolve) => resolve(this.#parts.flush()));
    await within(FLUSH_MS, flushing);
  }

  /** Becomes a process that ends with the code: the kernel then ends every thread, where process.exit() would wait for each. */
  #leave(code: number): void {
    const { host } = this.#parts;
    try {
      host.execve?.('/bin/sh', ['sh', '-c', `exit ${code}`], {});
    } catch {
      // No shell here: the exit code is lost.
    }
    host.kill(host.pid, 'SIGKILL');
  }
}

/** What process.exit() would wait for. */
const holding = (host: EndingProcess): string[] => host.getActiveResourcesInfo().filter((name) => HOLDS_AN_EXIT.test(name));

/** A thread that ends the process after so long, even while its main thread is stuck in a call. */
function watch(ms: number): void {
  const source = `
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ${ms});
    process.kill(process.pid, 'SIGKILL');`;
  try {
    const thread = new Worker(source, {
      eval: true,
      // It needs none of what the host preloads.
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 1, stackSizeMb: 1 },
    });
    // Without a descriptor for it, timers have to do.
    thread.on('error', () => undefined);
    thread.unref();
  } catch {
    // Without a thread, too.
  }
}
