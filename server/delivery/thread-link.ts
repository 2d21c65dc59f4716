import type { Worker } from 'node:worker_threads';
import { relayLines } from '../guards/output-lines.ts';
import { within } from '../guards/within.ts';
import { startOwnThread } from '../system/own-thread.ts';
import { retryDelay, type RetryPolicy } from './retry-delay.ts';

/** How a thread is started, each time. */
export interface ThreadSetup {
  /** For debuggers and profilers. */
  readonly name: string;
  readonly file: URL;
  /** The thread reads it as it starts: `openPort`. */
  readonly data: unknown;
  /** Its environment, of which it gets no preloads. */
  readonly env: NodeJS.ProcessEnv;
  /** Waits between the loss of a thread and its restart. */
  readonly restarts: RetryPolicy;
}

/** Callbacks of a link. */
export interface ThreadEvents<From> {
  received(message: From): void;
  /**
   * The thread has exited, or could not be started. What it held is lost.
   * @param thrown what ended it; undefined: it exited by itself
   * @param restartMs milliseconds until the restart; undefined: the link ends, and there is no
   * restart
   */
  lost(thrown: unknown, restartMs: number | undefined): void;
  /** Gets each line that code in the thread prints. Undefined: those lines are discarded. */
  readonly printed?: (line: string) => void;
}

/**
 * Wait for `terminate()`. A thread that takes longer is inside a system call that does not return.
 */
const TERMINATE_MS = 1000;

/**
 * The host's end of a thread that delivers data.
 *
 *   | state   | event             | next    | then                                                    |
 *   |---------|-------------------|---------|---------------------------------------------------------|
 *   |         | start()           | running |                                                         |
 *   | running | the thread exits  | lost    | calls `lost` with the delay until the restart           |
 *   | lost    | the delay is over | running |                                                         |
 *   | running | finish()          | ending  | last message; waits for `finished()`, exit or the limit |
 *   | lost    | finish()          | ending  | nothing to wait for                                     |
 *   | ending  | the thread exits  | ending  | calls `lost` without a delay: no restart                |
 *   | ending  | end()             | ended   | terminates, and waits at most TERMINATE_MS              |
 *
 * The link queues nothing. Without a thread it refuses messages, and the owner counts them as lost.
 * With one, the owner bounds the messages that are under way. Why: only the owner knows their cost,
 * and when they are settled.
 */
export class ThreadLink<To, From> {
  readonly #setup: ThreadSetup;
  readonly #events: ThreadEvents<From>;
  /** Undefined while the thread is lost. */
  #thread: Worker | undefined;
  /** Losses in a row. */
  #losses = 0;
  #ending = false;
  readonly #finished = Promise.withResolvers<void>();

  constructor(setup: ThreadSetup, events: ThreadEvents<From>) {
    this.#setup = setup;
    this.#events = events;
  }

  get running(): boolean {
    return this.#thread !== undefined;
  }

  /** Starts the thread. Where the system has no thread to give, that is a loss. */
  start(): void {
    const { name, file, data: workerData, env } = this.#setup;
    let thread: Worker;
    try {
      thread = startOwnThread(file, { name, workerData, stdout: true, stderr: true, env });
    } catch (thrown) {
      return this.#lose(thrown);
    }
    let failure: unknown;
    thread.on('message', (message: From) => this.#events.received(message));
    thread.on('error', (error) => (failure = error));
    thread.on('exit', () => this.#lose(failure));
    for (const stream of [thread.stdout, thread.stderr]) this.#relay(stream);
    // The owner ends the thread. The thread keeps no process alive.
    thread.unref();
    this.#thread = thread;
    return undefined;
  }

  /**
   * Sends a message. Answers false where there is no thread to take it.
   * @param transfer buffers that move to the thread
   */
  post(message: To, transfer: ArrayBuffer[] = []): boolean {
    this.#thread?.postMessage(message, transfer);
    return this.#thread !== undefined;
  }

  /** The thread does its work: the next loss is the first in a row. */
  succeeded(): void {
    this.#losses = 0;
  }

  /**
   * Sends the last message and waits until the thread has finished, has exited, or the limit is
   * over. No restart from now on.
   */
  async finish(message: To, limitMs: number): Promise<void> {
    this.#ending = true;
    if (this.post(message)) await within(limitMs, this.#finished.promise);
  }

  /** The thread has reported that it has finished. */
  finished(): void {
    this.#finished.resolve();
  }

  /** Terminates the thread, in at most a second. Answers false where it does not end. */
  end(): Promise<boolean> {
    this.#ending = true;
    return within(TERMINATE_MS, this.#thread?.terminate());
  }

  #lose(thrown: unknown): void {
    this.#thread = undefined;
    if (this.#ending) {
      this.finished();
      return this.#events.lost(thrown, undefined);
    }
    const restartMs = retryDelay(++this.#losses, this.#setup.restarts);
    this.#events.lost(thrown, restartMs);
    setTimeout(() => this.#ending || this.start(), restartMs).unref();
    return undefined;
  }

  /** Node itself would pass the output to stdout without a bound, and stdout may have no reader. */
  #relay(stream: Worker['stdout']): void {
    const { printed } = this.#events;
    if (printed === undefined) stream.resume();
    else void relayLines(stream, ({ text }) => printed(text));
  }
}
