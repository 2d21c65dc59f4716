import { Readable } from 'node:stream';
import { ServerError } from '../errors.ts';
import { FrameError } from '../ipc/frames.ts';
import { STREAM_WINDOW } from '../ipc/limits.ts';
import type { Held } from './answer-memory.ts';

interface ReplyStreamEvents {
  /** The client's side has taken these bytes. */
  taken(bytes: number): void;
  /**
   * The stream ends before the worker has sent everything.
   * @param stalled the worker was silent for too long
   */
  abandoned(stalled: boolean): void;
  /** Counts the bytes that the client has not taken. */
  readonly held: Held;
}

/** A streamed answer. Gaps are bounded on both sides, and a slow reader pauses the worker. */
export class ReplyStream extends Readable {
  readonly #events: ReplyStreamEvents;
  readonly #idleMs: number;
  #timer: NodeJS.Timeout | undefined;
  #notTaken = 0;
  #complete = false;
  #stalled = false;

  /** @param idleMs longest gap; 0: no limit */
  constructor(idleMs: number, events: ReplyStreamEvents) {
    super({ highWaterMark: 64 * 1024 });
    this.#idleMs = idleMs;
    this.#events = events;
    // It may break before its reader adds a listener.
    this.on('error', () => undefined);
    this.#restart();
  }

  /**
   * Adds a chunk of the worker.
   * @throws FrameError when the worker sent it beyond its window, without credit
   */
  add(bytes: Buffer): void {
    this.#restart();
    if (this.destroyed) return;
    if (this.#notTaken > STREAM_WINDOW)
      throw new FrameError(`a chunk of ${bytes.length} bytes before there was credit: ${this.#notTaken} are not taken yet`);
    this.#notTaken += bytes.length;
    this.#events.held.resize(this.#notTaken);
    this.push(bytes);
  }

  /** The worker has sent everything. */
  finish(): void {
    this.#complete = true;
    this.#restart();
    if (!this.destroyed) this.push(null);
  }

  /** The worker has broken it off, or is lost. */
  fail(error: Error): void {
    this.#complete = true;
    this.destroy(error);
  }

  /** Called when the reader has room: what was pushed before is on its way to the client. */
  override _read(): void {
    this.#restart();
    if (this.#notTaken === 0) return;
    this.#events.taken(this.#notTaken);
    this.#notTaken = 0;
    this.#events.held.release();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    clearTimeout(this.#timer);
    this.#events.held.release();
    if (!this.#complete) this.#events.abandoned(this.#stalled);
    done(error);
  }

  #restart(): void {
    clearTimeout(this.#timer);
    if (this.#idleMs === 0 || this.destroyed) return;
    this.#timer = setTimeout(() => {
      // Where bytes are left, the client stalled and not the worker.
      this.#stalled = this.#notTaken === 0 && this.readableLength === 0;
      const idle = `the stream was idle for ${this.#idleMs} ms (STREAM_IDLE_TIMEOUT_MS)`;
      this.destroy(
        this.#stalled
          ? new ServerError('deadline_exceeded', `${idle}: run() sent nothing`)
          : new ServerError('client_gone', `${idle}: the client took nothing`),
      );
    }, this.#idleMs);
  }
}
