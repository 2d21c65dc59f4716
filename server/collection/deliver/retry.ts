import { pause, retryDelay, type RetryPolicy } from '../../delivery/retry-delay.ts';
import type { WriterLog } from '../writer-messages.ts';
import type { SinkError } from './sink.ts';

/**
 * Retries never end while the server runs. A sink that names its own wait gets it, up to five
 * minutes.
 */
export const SINK_RETRIES: RetryPolicy = {
  firstMs: 100,
  longestMs: 30_000,
  jitter: 0.5,
  asked: { longestMs: 300_000, replaces: false },
};
/** An outage is one line. A sink that fails and recovers in turn costs one line a minute. */
const LOG_INTERVAL_MS = 60_000;

/** When the writer tries a sink again, and which failures the log gets. */
export class Retry {
  readonly #log: WriterLog;
  readonly #sink: string;
  readonly #waits: () => string;
  #failures = 0;
  #loggedAt = -Infinity;
  #refusedAt = -Infinity;
  #apartAt = -Infinity;
  #logged = false;
  #hurry = new AbortController();

  /** @param waits answers where records are meanwhile, for the log */
  constructor(log: WriterLog, sink: string, waits: () => string) {
    this.#log = log;
    this.#sink = sink;
    this.#waits = waits;
  }

  /** The last try failed. */
  get failing(): boolean {
    return this.#failures > 0;
  }

  failed(error: SinkError): void {
    this.#failures++;
    if (this.#failures > 1 || performance.now() - this.#loggedAt < LOG_INTERVAL_MS) return;
    this.#loggedAt = performance.now();
    this.#logged = true;
    this.#log.warn(
      `collected data cannot be delivered to ${this.#sink} (${error.code}: ${error.message}); it waits ${this.#waits()}, and is tried again`,
    );
  }

  succeeded(): void {
    this.#failures = 0;
    if (this.#logged) this.#log.info(`collected data is delivered to ${this.#sink} again`);
    this.#logged = false;
  }

  refused(error: SinkError, records: number): void {
    if (performance.now() - this.#refusedAt < LOG_INTERVAL_MS) return;
    this.#refusedAt = performance.now();
    this.#log.error(`${this.#sink} refuses collected data for good: ${records} records are dropped (${error.code}: ${error.message})`);
  }

  /** One payload finds no room. The others go on. */
  noRoom(error: SinkError): void {
    if (performance.now() - this.#apartAt < LOG_INTERVAL_MS) return;
    this.#apartAt = performance.now();
    this.#log.warn(
      `${this.#sink} has no room for a payload (${error.code}: ${error.message}); it waits in memory, and is tried again; others go on`,
    );
  }

  /** Waits for the next try. Ends early at `hurry`, or when the server stops. */
  async wait(askedMs: number | undefined, stop: AbortSignal): Promise<void> {
    await pause(retryDelay(this.#failures, SINK_RETRIES, askedMs), AbortSignal.any([stop, this.#hurry.signal]));
    this.#hurry = new AbortController();
  }

  /** The next try is now. */
  hurry(): void {
    this.#hurry.abort();
  }
}
