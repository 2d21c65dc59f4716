import { setTimeout as delay } from 'node:timers/promises';
import { SinkError, type Batch, type Sink } from './sink.ts';

/** Wait for a call that was aborted. */
export const ABORT_MS = 500;

/**
 * Calls a sink, one batch at a time. Once the server ends, a call gets at most half of the time
 * that is left, so that one that hangs leaves time for others.
 */
export class SinkCalls {
  readonly #sink: Sink;
  readonly #stop = new AbortController();
  #call: AbortController | undefined;
  /** End of the time for calls, on the monotonic clock; undefined: the server does not end. */
  #endAt: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  /** Aborted once there are no further calls. */
  get stopped(): AbortSignal {
    return this.#stop.signal;
  }

  /** The server ends in so many milliseconds. */
  endIn(timeoutMs: number): void {
    this.#endAt = performance.now() + timeoutMs;
    this.#limit();
  }

  /** Aborts the call under way. */
  stop(): void {
    this.#stop.abort();
  }

  /** @throws SinkError, with the code `timeout` where the call had its share of the time */
  async write(batch: Batch): Promise<void> {
    const call = new AbortController();
    this.#call = call;
    this.#limit();
    const signal = AbortSignal.any([this.#stop.signal, call.signal]);
    try {
      await Promise.race([this.#sink.write(batch, signal), abandoned(signal)]);
    } catch (thrown) {
      if (call.signal.aborted && !this.#stop.signal.aborted)
        throw new SinkError('timeout', 'no answer within half of the time that was left', { cause: thrown });
      throw thrown instanceof SinkError ? thrown : new SinkError('unknown', String(thrown), { cause: thrown });
    } finally {
      this.#call = undefined;
      clearTimeout(this.#timer);
      call.abort();
    }
  }

  #limit(): void {
    const call = this.#call;
    if (this.#endAt === undefined || call === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => call.abort(), Math.max(0, this.#endAt - performance.now()) / 2);
  }
}

/** Rejects a while after an abort, for a sink that does not heed it. */
async function abandoned(signal: AbortSignal): Promise<never> {
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  await delay(ABORT_MS, undefined, { ref: false });
  throw new SinkError('timeout', 'the call does not end');
}
