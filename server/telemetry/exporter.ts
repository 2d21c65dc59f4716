import { withoutKeys } from '../guards/addresses.ts';
import type { RetryPolicy } from '../delivery/retry-delay.ts';
import { ThreadLink } from '../delivery/thread-link.ts';
import type { Log } from '../log.ts';
import type { ExportSettings, FromThread, InsightItem, ItemKind, SpanItem, ToThread } from './exporting/items.ts';
import type { Metrics } from './metrics.ts';
import { Outbox } from './outbox.ts';

/**
 * Limits of the items that are under way, from here to their last byte sent, and of their lines.
 * Further items are dropped and counted.
 */
const MOST_ITEMS = 100_000;
const MOST_BYTES = 64 * 1024 * 1024;
/** Waits while the thread fails again before it has delivered anything. */
const RESTARTS: RetryPolicy = { firstMs: 1000, longestMs: 60_000, jitter: 0 };
const THREAD = new URL('./exporting/main.ts', import.meta.url);

const KINDS: readonly ItemKind[] = ['request', 'trace', 'exception', 'span'];

/**
 * The host's end of telemetry: writes each item as a line and leaves the rest to a thread. The
 * thread loads the libraries, sends, waits and retries. Every item is delivered, or counted as
 * dropped with a reason.
 */
export class TelemetryExporter {
  readonly #link: ThreadLink<ToThread, FromThread>;
  readonly #metrics: Metrics;
  readonly #log: Log;
  /** Items that are not settled, by kind. */
  readonly #open: Record<ItemKind, number> = { request: 0, trace: 0, exception: 0, span: 0 };
  #items = 0;
  #bytes = 0;
  readonly #outbox: Outbox;
  #running = true;
  #stopping: Promise<boolean> | undefined;
  /** For the last line of the log, because no scrape follows it. */
  #delivered = 0;
  readonly #lost: Record<string, number> = {};
  #dropLogged = false;

  /** @param env of the thread: proxies, certificates, OTEL_* */
  constructor(settings: ExportSettings, env: NodeJS.ProcessEnv, metrics: Metrics, log: Log, file = THREAD) {
    this.#metrics = metrics;
    this.#log = log;
    this.#link = new ThreadLink(
      { name: 'telemetry', file, data: settings, env: { ...env, ...QUIET }, restarts: RESTARTS },
      // Output of libraries is discarded: it is no line of this server's log.
      { received: (message) => this.#settle(message), lost: (thrown, restartMs) => this.#threadLost(thrown, restartMs) },
    );
    this.#outbox = new Outbox((message) => this.#link.post(message));
    this.#link.start();
  }

  /**
   * Takes an item: requests, traces and exceptions for Application Insights, spans for a collector.
   */
  add(item: InsightItem | SpanItem): void {
    if (!this.#accepts(item.kind)) return;
    this.#items++;
    this.#open[item.kind]++;
    this.#bytes += this.#outbox.add(item);
  }

  /**
   * Sends the rest within the limit, and drops and counts unsent items. A second call waits for the
   * first. Answers false where the thread does not end.
   */
  stop(limitMs: number): Promise<boolean> {
    this.#stopping ??= this.#stop(limitMs);
    return this.#stopping;
  }

  async #stop(limitMs: number): Promise<boolean> {
    this.#outbox.post();
    await this.#link.finish('flush', limitMs);
    this.#running = false;
    this.#drop('stopped');
    const lost = Object.keys(this.#lost).length > 0;
    this.#log[lost ? 'warn' : 'info'](
      { delivered: this.#delivered, dropped: this.#lost },
      lost ? 'telemetry ends; not all of it was delivered' : 'telemetry ends; all of it was delivered',
    );
    const ended = await this.#link.end();
    if (!ended) this.#log.error('the thread of telemetry does not end');
    return ended;
  }

  /** Counts the item as dropped where it finds no room or no thread. */
  #accepts(kind: ItemKind): boolean {
    if (!this.#running) this.#lose(kind, 'stopped', 1);
    else if (!this.#link.running) this.#lose(kind, 'thread_failed', 1);
    else if (this.#items >= MOST_ITEMS || this.#bytes >= MOST_BYTES) {
      this.#lose(kind, 'queue_full', 1);
      if (!this.#dropLogged) this.#log.warn('telemetry comes faster than it can be delivered: items are dropped (telemetry_dropped_total)');
      this.#dropLogged = true;
    } else return true;
    return false;
  }

  #settle({ delivered, dropped, bytes, flushed, problem }: FromThread): void {
    // Too late: all open items are counted already.
    if (!this.#running) return;
    for (const kind of KINDS) {
      const count = delivered[kind] ?? 0;
      if (count > 0) this.#metrics.telemetryDelivered.inc({ item: kind }, count);
      if (count > 0) this.#link.succeeded();
      this.#delivered += count;
      this.#close(kind, count);
    }
    for (const { kind, reason, count } of dropped) {
      this.#lose(kind, reason, count);
      this.#close(kind, count);
    }
    this.#bytes -= bytes;
    if (this.#items < MOST_ITEMS / 2) this.#dropLogged = false;
    if (problem !== undefined) this.#log.warn(`telemetry is not delivered: ${withoutKeys(problem)}`);
    if (flushed) this.#link.finished();
  }

  #close(kind: ItemKind, count: number): void {
    this.#open[kind] -= count;
    this.#items -= count;
  }

  /** Counts all items under way as dropped, for one reason. */
  #drop(reason: string): void {
    for (const kind of KINDS) {
      const count = this.#open[kind];
      if (count > 0) this.#lose(kind, reason, count);
      this.#close(kind, count);
    }
  }

  #lose(item: ItemKind, reason: string, count: number): void {
    this.#metrics.telemetryDropped.inc({ item, reason }, count);
    this.#lost[reason] = (this.#lost[reason] ?? 0) + count;
  }

  #threadLost(err: unknown, restartMs: number | undefined): void {
    if (!this.#running) return;
    // Empties the outbox. No thread takes its items, which are counted with the rest.
    this.#outbox.post();
    this.#bytes = 0;
    this.#drop('thread_failed');
    if (restartMs !== undefined)
      this.#log.error({ err }, `the thread of telemetry failed, with what it had; it is started anew in ${restartMs / 1000} s`);
  }
}

/**
 * Switches the package `applicationinsights` off where it acts unasked: reports about itself,
 * patches of Node's modules.
 */
const QUIET = {
  APPLICATION_INSIGHTS_NO_STATSBEAT: 'true',
  APPLICATION_INSIGHTS_NO_DIAGNOSTIC_CHANNEL: 'true',
  APPLICATIONINSIGHTS_CONFIGURATION_CONTENT: '{}',
  APPLICATIONINSIGHTS_CONNECTION_STRING: undefined,
};
