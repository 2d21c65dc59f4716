import { Worker } from 'node:worker_threads';
import { describeThrown } from '../../errors.ts';
import { relayLines } from '../../guards/output-lines.ts';
import { within } from '../../guards/within.ts';
import type { Progress } from '../counts.ts';
import type { CollectionSettings } from '../settings.ts';

/** What the host tells the writer's thread. */
export type ToWriter =
  | { readonly kind: 'batch'; readonly batch: ArrayBuffer; readonly bytes: number }
  | { readonly kind: 'close'; readonly timeoutMs: number };

/** What the thread answers. */
export type FromWriter =
  | { readonly kind: 'progress'; readonly progress: Progress }
  | { readonly kind: 'recycle'; readonly batch: ArrayBuffer }
  | { readonly kind: 'print'; readonly text: string }
  | { readonly kind: 'log'; readonly level: 'info' | 'warn' | 'error'; readonly text: string }
  | { readonly kind: 'closed' };

export interface ThreadData {
  readonly settings: CollectionSettings;
  readonly agent: string;
}

/** The part of the host's log that is used here. */
export interface WriterLog {
  info(text: string): void;
  warn(text: string): void;
  error(text: string): void;
}

interface Events {
  readonly log: WriterLog;
  print(text: string): void;
  progress(progress: Progress): void;
  recycle(batch: ArrayBuffer): void;
  /** The thread is gone with what it held. A new one is started. */
  lost(): void;
}

/** What the thread may take beyond its limit to tell what became of the rest. */
const LAST_WORDS_MS = 1000;
/** A thread ends within that, or never: it is inside a call to the system that does not return. */
const TERMINATE_MS = 1000;
const RESTART_MS = 1000;
const THREAD = new URL('../writer-thread.ts', import.meta.url);

/** The thread that decodes and writes. It is code of this server only, and nothing in it blocks for long: a thread will do. */
export class WriterLink {
  readonly #data: ThreadData;
  readonly #events: Events;
  #thread: Worker | undefined;
  #closed = Promise.withResolvers<void>();
  #closing = false;

  constructor(settings: CollectionSettings, agent: string, events: Events) {
    this.#data = { settings, agent };
    this.#events = events;
    this.#start();
  }

  /** Transfers a batch. */
  post(batch: ArrayBuffer, bytes: number): void {
    if (this.#thread === undefined) this.#events.lost();
    else this.#thread.postMessage({ kind: 'batch', batch, bytes } satisfies ToWriter, [batch]);
  }

  /** Delivers what is left, within the limit, and ends the thread. Takes at most 2 s more. Answers false where the thread does not end. */
  async close(timeoutMs: number): Promise<boolean> {
    this.#closing = true;
    const thread = this.#thread;
    if (thread === undefined) return true;
    thread.postMessage({ kind: 'close', timeoutMs } satisfies ToWriter);
    await within(timeoutMs + LAST_WORDS_MS, this.#closed.promise);
    const ended = await within(TERMINATE_MS, thread.terminate());
    if (!ended) this.#events.log.error('the writer of collected data does not end: its folder or volume does not answer');
    return ended;
  }

  #start(): void {
    let thread: Worker;
    try {
      thread = new Worker(THREAD, { workerData: this.#data, name: 'collection', stdout: true, stderr: true });
    } catch (thrown) {
      // The system gives no more threads.
      return this.#lost(describeThrown(thrown));
    }
    this.#thread = thread;
    let reason = 'it ended by itself';
    thread.on('message', (message: FromWriter) => this.#receive(message));
    thread.on('error', (error) => (reason = error instanceof Error ? (error.stack ?? error.message) : String(error)));
    thread.on('exit', () => {
      this.#thread = undefined;
      if (this.#closing) return this.#closed.resolve();
      return this.#lost(reason);
    });
    // What libraries print: Node would hand it to stdout without a bound, where nobody may read.
    for (const stream of [thread.stdout, thread.stderr]) void relayLines(stream, ({ text }) => this.#events.log.warn(text));
    // The server ends when it has closed the collector, not because of it.
    thread.unref();
    return undefined;
  }

  #lost(reason: string): void {
    this.#events.log.error(`the writer of collected data is gone, and is started anew: ${reason}`);
    this.#events.lost();
    setTimeout(() => this.#closing || this.#start(), RESTART_MS).unref();
  }

  #receive(message: FromWriter): void {
    switch (message.kind) {
      case 'progress':
        return this.#events.progress(message.progress);
      case 'recycle':
        return this.#events.recycle(message.batch);
      case 'print':
        return this.#events.print(message.text);
      case 'log':
        return this.#events.log[message.level](message.text);
      case 'closed':
        return this.#closed.resolve();
    }
  }
}
