import { Worker } from 'node:worker_threads';
import type { Log } from '../log.ts';
import { within } from '../guards/within.ts';
import type { ExportSettings, FromThread, InsightItem, ItemKind, SpanItem, ToThread } from './exporting/items.ts';
import type { Metrics } from './metrics.ts';
import { Outbox } from './outbox.ts';

/** Items that may be under way, from here to the last byte sent, and what their lines may take. More are dropped and counted. */
const MOST_ITEMS = 100_000;
const MOST_BYTES = 64 * 1024 * 1024;
/** A thread that fails is started anew after a second; while it fails again before anything is delivered, after twice as long each time. */
const RESTART_MS = 1000;
const LONGEST_RESTART_MS = 60_000;
/** A thread ends within that, or never: it is inside a call to the system that does not return. */
const TERMINATE_MS = 1000;
const THREAD = new URL('./exporting/main.ts', import.meta.url);

const KINDS: readonly ItemKind[] = ['request', 'trace', 'exception', 'span'];

/**
 * The host's end of telemetry: writes each item and leaves the rest to a thread, which loads the libraries, sends,
 * waits and tries again. Every item is delivered, or counted as dropped with a reason.
 */
export class TelemetryExporter {
  /** Undefined: it has failed, and is not started anew yet. */
  #thread: Worker | undefined;
  readonly #create: () => Worker;
  readonly #metrics: Metrics;
  readonly #log: Log;
  /** Not settled yet, by kind. */
  readonly #open: Record<ItemKind, number> = { request: 0, trace: 0, exception: 0, span: 0 };
  #items = 0;
  #bytes = 0;
  readonly #outbox: Outbox;
  #flushed: (() => void) | undefined;
  #running = true;
  #stopping: Promise<boolean> | undefined;
  #restartMs = RESTART_MS;
  /** For the last line of the log: nobody scrapes a server that ends. */
  #delivered = 0;
  readonly #lost: Record<string, number> = {};
  #dropLogged = false;

  /** @param env of the thread: proxies, certificates, OTEL_* */
  constructor(settings: ExportSettings, env: NodeJS.ProcessEnv, metrics: Metrics, log: Log, thread = THREAD) {
    this.#metrics = metrics;
    this.#log = log;
    this.#outbox = new Outbox((message) => this.#send(message));
    this.#create = () =>
      new Worker(thread, {
        name: 'telemetry',
        workerData: settings,
        env: { ...env, ...QUIET },
        argv: [],
        // What libraries print is no line of our log.
        stdout: true,
        stderr: true,
      });
    this.#start();
  }

  /** Takes an item: requests, traces and exceptions for Application Insights, spans for a collector. */
  add(item: InsightItem | SpanItem): void {
    if (!this.#accepts(item.kind)) return;
    this.#items++;
    this.#open[item.kind]++;
    this.#bytes += this.#outbox.add(item);
  }

  /** Sends what is left, for so long; the rest is dropped and counted. A second call waits for the first. Answers false where the thread does not end. */
  stop(limitMs: number): Promise<boolean> {
    this.#stopping ??= this.#stop(limitMs);
    return this.#stopping;
  }

  async #stop(limitMs: number): Promise<boolean> {
    if (this.#thread !== undefined) {
      this.#outbox.post();
      const flushed = new Promise<void>((resolve) => (this.#flushed = resolve));
      this.#send('flush');
      await within(limitMs, flushed);
    }
    this.#running = false;
    this.#drop('stopped');
    const lost = Object.keys(this.#lost).length > 0;
    this.#log[lost ? 'warn' : 'info'](
      { delivered: this.#delivered, dropped: this.#lost },
      lost ? 'telemetry ends; not all of it was delivered' : 'telemetry ends; all of it was delivered',
    );
    const ended = await within(TERMINATE_MS, this.#thread?.terminate());
    if (!ended) this.#log.error('the thread of telemetry does not end');
    return ended;
  }

  #start(): void {
    let thread: Worker;
    try {
      thread = this.#create();
    } catch (thrown) {
      // The system gives no more threads.
      return this.#ended(thrown);
    }
    let err: unknown;
    thread.on('message', (message: FromThread) => this.#settle(message));
    thread.on('error', (error) => (err = error));
    thread.on('exit', () => this.#ended(err));
    thread.stdout.resume();
    thread.stderr.resume();
    thread.unref();
    this.#thread = thread;
    return undefined;
  }

  /** Counts the item as dropped where there is no room for it, or nobody to send it. */
  #accepts(kind: ItemKind): boolean {
    if (!this.#running) this.#lose(kind, 'stopped', 1);
    else if (this.#thread === undefined) this.#lose(kind, 'thread_failed', 1);
    else if (this.#items >= MOST_ITEMS || this.#bytes >= MOST_BYTES) {
      this.#lose(kind, 'queue_full', 1);
      if (!this.#dropLogged) this.#log.warn('telemetry comes faster than it can be delivered: items are dropped (telemetry_dropped_total)');
      this.#dropLogged = true;
    } else return true;
    return false;
  }

  #send(message: ToThread): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    this.#thread?.postMessage(message);
  }

  #settle({ delivered, dropped, bytes, flushed, problem }: FromThread): void {
    // Too late: everything that was open is counted already.
    if (!this.#running) return;
    for (const kind of KINDS) {
      const count = delivered[kind] ?? 0;
      if (count > 0) this.#metrics.telemetryDelivered.inc({ item: kind }, count);
      if (count > 0) this.#restartMs = RESTART_MS;
      this.#delivered += count;
      this.#close(kind, count);
    }
    for (const { kind, reason, count } of dropped) {
      this.#lose(kind, reason, count);
      this.#close(kind, count);
    }
    this.#bytes -= bytes;
    if (this.#items < MOST_ITEMS / 2) this.#dropLogged = false;
    if (problem !== undefined) this.#log.warn(`telemetry is not delivered: ${problem}`);
    if (flushed) this.#flushed?.();
  }

  #close(kind: ItemKind, count: number): void {
    this.#open[kind] -= count;
    this.#items -= count;
  }

  /** Everything that is under way is lost, for one reason. */
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

  /** @param err what the thread died of, where it told */
  #ended(err: unknown): void {
    this.#thread = undefined;
    if (!this.#running) return;
    // What waits there goes nowhere: it is counted with the rest.
    this.#outbox.post();
    this.#bytes = 0;
    this.#drop('thread_failed');
    this.#flushed?.();
    if (this.#stopping !== undefined) return;
    this.#log.error({ err }, `the thread of telemetry failed, with what it had; it is started anew in ${this.#restartMs / 1000} s`);
    setTimeout(() => {
      if (this.#stopping === undefined) this.#start();
    }, this.#restartMs).unref();
    this.#restartMs = Math.min(2 * this.#restartMs, LONGEST_RESTART_MS);
  }
}

/** Switches of the package `applicationinsights` for what it would do unasked: reports about itself, patches of Node's modules. */
const QUIET = {
  APPLICATION_INSIGHTS_NO_STATSBEAT: 'true',
  APPLICATION_INSIGHTS_NO_DIAGNOSTIC_CHANNEL: 'true',
  APPLICATIONINSIGHTS_CONFIGURATION_CONTENT: '{}',
  APPLICATIONINSIGHTS_CONNECTION_STRING: undefined,
};
