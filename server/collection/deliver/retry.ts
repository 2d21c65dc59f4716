import { setTimeout as delay } from 'node:timers/promises';
import type { WriterLog } from '../host/writer-link.ts';
import type { SinkError } from './sink.ts';

const FIRST_MS = 100;
const LONGEST_MS = 30_000;
/** An outage is one line; so is each minute of a sink that comes and goes. */
const LOG_INTERVAL_MS = 60_000;

/** When the next try is, and what an operator is told of failures. */
export class Retry {
  readonly #log: WriterLog;
  readonly #sink: string;
  readonly #waitsOn: string;
  #failures = 0;
  #loggedAt = -Infinity;
  #refusedAt = -Infinity;
  #told = false;
  #hurry = new AbortController();

  /** @param waitsOn where records are meanwhile, for the log */
  constructor(log: WriterLog, sink: string, waitsOn: string) {
    this.#log = log;
    this.#sink = sink;
    this.#waitsOn = waitsOn;
  }

  /** The last try failed. */
  get failing(): boolean {
    return this.#failures > 0;
  }

  failed(error: SinkError): void {
    this.#failures++;
    if (this.#failures > 1 || performance.now() - this.#loggedAt < LOG_INTERVAL_MS) return;
    this.#loggedAt = performance.now();
    this.#told = true;
    this.#log.warn(
      `collected data cannot be delivered to ${this.#sink} (${error.code}: ${error.message}); it waits ${this.#waitsOn}, and is tried again`,
    );
  }

  succeeded(): void {
    this.#failures = 0;
    if (this.#told) this.#log.info(`collected data is delivered to ${this.#sink} again`);
    this.#told = false;
  }

  refused(error: SinkError, records: number): void {
    if (performance.now() - this.#refusedAt < LOG_INTERVAL_MS) return;
    this.#refusedAt = performance.now();
    this.#log.error(`${this.#sink} refuses collected data for good: ${records} records are dropped (${error.code}: ${error.message})`);
  }

  /** Exponential, with jitter; as long as the other side asked, if that is longer. Ends early when the server stops. */
  async wait(retryAfterMs: number, stop: AbortSignal): Promise<void> {
    const most = Math.min(LONGEST_MS, FIRST_MS * 2 ** (this.#failures - 1));
    const signal = AbortSignal.any([stop, this.#hurry.signal]);
    await delay(Math.max(retryAfterMs, most / 2 + (Math.random() * most) / 2), undefined, { signal }).catch(() => undefined);
    this.#hurry = new AbortController();
  }

  /** The next try is now. */
  hurry(): void {
    this.#hurry.abort();
  }
}
