import type { RetryPolicy } from '../../delivery/retry-delay.ts';
import { ThreadLink } from '../../delivery/thread-link.ts';
import { stackOfThrown } from '../../errors.ts';
import { withoutKeys } from '../../guards/addresses.ts';
import type { Progress } from '../counts.ts';
import type { CollectionSettings } from '../settings.ts';
import type { FromWriter, ToWriter, WriterData, WriterLog } from '../writer-messages.ts';

/** The server's stdout. */
export interface HostStdout {
  /** Writes lines that nobody asks for. */
  write(text: string): void;
  /**
   * Writes lines, and answers how many are written: all of them, or those until the call of the
   * returned function.
   */
  deliver(text: string, settled: (lines: number) => void): () => void;
}

interface Events {
  readonly log: WriterLog;
  readonly stdout: HostStdout;
  progress(progress: Progress): void;
  recycle(batch: ArrayBuffer): void;
  /** The thread is gone with all records that it held. A new one is started. */
  lost(): void;
}

/** Time beyond its own limit in which the thread reports the outcome of the last records. */
const LAST_REPORT_MS = 1000;
/** A second each time: records that come meanwhile are lost. */
const RESTARTS: RetryPolicy = { firstMs: 1000, longestMs: 1000, jitter: 0 };
const THREAD = new URL('../writer-thread.ts', import.meta.url);

/**
 * The thread that encodes and delivers. It runs only this server's code, without ONNX Runtime, so
 * that a thread suffices.
 */
export class WriterLink {
  readonly #events: Events;
  readonly #link: ThreadLink<ToWriter, FromWriter>;
  /** Takes back lines for stdout that are not written. The thread gives one portion at a time. */
  #retract: (() => void) | undefined;

  constructor(settings: CollectionSettings, agent: string, env: NodeJS.ProcessEnv, events: Events) {
    this.#events = events;
    const data: WriterData = { settings, agent };
    this.#link = new ThreadLink(
      { name: 'collection', file: THREAD, data, env, restarts: RESTARTS },
      {
        received: (message) => this.#receive(message),
        lost: (thrown, restartMs) => this.#lost(thrown, restartMs),
        printed: (line) => events.log.warn(line),
      },
    );
    this.#link.start();
  }

  /** Transfers a batch. */
  post(batch: ArrayBuffer, bytes: number): void {
    if (!this.#link.post({ kind: 'batch', batch, bytes }, [batch])) this.#events.lost();
  }

  /**
   * Delivers the rest within the limit and ends the thread, in at most 2 s more. Answers false
   * where the thread does not end.
   */
  async close(timeoutMs: number): Promise<boolean> {
    await this.#link.finish({ kind: 'close', timeoutMs }, timeoutMs + LAST_REPORT_MS);
    const ended = await this.#link.end();
    this.#retract?.();
    if (!ended) this.#events.log.error('the writer of collected data does not end: its folder or volume does not answer');
    return ended;
  }

  #deliver(text: string): void {
    const retract = this.#events.stdout.deliver(text, (lines) => {
      // A new thread knows nothing of lines that the last one gave.
      if (this.#retract === retract) this.#link.post({ kind: 'delivered', lines });
    });
    this.#retract = retract;
  }

  #lost(thrown: unknown, restartMs: number | undefined): void {
    this.#retract?.();
    this.#retract = undefined;
    if (restartMs === undefined) return;
    const reason = thrown === undefined ? 'it exited by itself' : stackOfThrown(thrown);
    this.#events.log.error(`the writer of collected data is gone, and is started anew: ${withoutKeys(reason)}`);
    this.#events.lost();
  }

  #receive(message: FromWriter): void {
    switch (message.kind) {
      case 'progress':
        return this.#events.progress(message.progress);
      case 'recycle':
        return this.#events.recycle(message.batch);
      case 'print':
        return this.#events.stdout.write(message.text);
      case 'deliver':
        return this.#deliver(message.text);
      case 'retract':
        return this.#retract?.();
      case 'log':
        return this.#events.log[message.level](message.text);
      case 'closed':
        return this.#link.finished();
      default:
        return message satisfies never;
    }
  }
}
