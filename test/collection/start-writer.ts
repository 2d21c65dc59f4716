import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { AppendSink, type RollLimits, type Storage } from '../../server/collection/deliver/append-sink.ts';
import { CloudEvents } from '../../server/collection/encode/cloud-events.ts';
import type { Block } from '../../server/collection/encode/block.ts';
import { CollectionCounts } from '../../server/collection/counts.ts';
import { Layout } from '../../server/collection/encode/layout.ts';
import { Retry } from '../../server/collection/deliver/retry.ts';
import type { CollectionSettings } from '../../server/collection/settings.ts';
import type { Sink } from '../../server/collection/deliver/sink.ts';
import { Spool, type SpoolEvents, type SpoolLimits } from '../../server/collection/spool/spool.ts';
import { Tally } from '../../server/collection/deliver/tally.ts';
import { Writer } from '../../server/collection/deliver/writer.ts';

export const settings: CollectionSettings = {
  sink: { kind: 'file', dir: '/nowhere', maxBytes: 0 },
  rates: {},
  others: 1,
  endpoint: 'ep',
  deployment: 'blue',
  captureHeaders: [],
  spillDir: '',
  flushTimeoutMs: 5000,
  workspace: 'sub/rg/ws',
  modelVersions: {},
  prints: false,
};

interface Options {
  /** Undefined: none. */
  readonly spillDir?: string;
  readonly limits?: RollLimits;
  readonly spoolLimits?: SpoolLimits;
  /** Of the host, whose last writer is lost. */
  readonly counts?: CollectionCounts;
}

/** Events of a spool, as the thread takes them. */
export const spoolEvents = (report: (text: string) => void, tally: Tally): SpoolEvents => ({
  report,
  adopted: (records) => tally.adopted(records),
  damaged: (records) => tally.damaged(records),
});

/** The writer as its thread has it, in the test's own process. */
export class TestWriter {
  readonly counts: CollectionCounts;
  readonly lines: string[] = [];
  readonly instance = `host-${randomUUID()}`;
  readonly spool: Spool | undefined;
  readonly writer: Writer;
  readonly retry: Retry;
  readonly #events: CloudEvents;
  #told: (() => void)[] = [];
  #lost = false;

  constructor(storage: Storage | Sink, { spillDir, limits, spoolLimits, counts = new CollectionCounts() }: Options = {}) {
    this.counts = counts;
    const log = {
      info: (text: string) => this.#log(text),
      warn: (text: string) => this.#log(text),
      error: (text: string) => this.#log(text),
    };
    const sink: Sink = 'write' in storage ? storage : new AppendSink(storage, limits);
    const tally = new Tally(
      (progress) => {
        if (!this.#lost) this.counts.add(progress);
        this.#wake();
      },
      () => this.spool?.bytes ?? 0,
    );
    this.spool = spillDir === undefined ? undefined : new Spool(spillDir, this.instance, spoolEvents(log.warn, tally), spoolLimits);
    this.counts.found(this.spool?.found ?? new Map());
    const layout = sink.appends ? new Layout(settings, this.instance) : undefined;
    this.retry = new Retry(log, sink.name, () => 'somewhere');
    this.writer = new Writer({ sink, layout, spool: this.spool, tally, retry: this.retry });
    this.#events = new CloudEvents(settings, sink, 'test/1', (block) => this.add(block));
  }

  /** A block as the encoder emits it, of records that the host has counted. */
  add(block: Block): void {
    this.counts.of(block.collection).queued += block.records;
    this.counts.records += block.records;
    this.writer.add(block);
  }

  /** Rows `{ n }`, one record each. */
  collect(from: number, to: number, collection = 'model_inputs', pad = ''): void {
    for (let n = from; n < to; n++) this.rows(collection, `id-${n}`, [{ n, ...(pad === '' ? {} : { pad }) }]);
  }

  rows(collection: string, id: string, rows: object[], time = Date.UTC(2026, 2, 5, 18, 16, 25), v1?: string): void {
    const head = { id, time, ...(v1 === undefined ? {} : { v1 }) };
    this.#events.rows(collection, head, Buffer.from(JSON.stringify(rows)));
  }

  /** Resolves when the counts are as wanted. */
  async until(reached: (counts: CollectionCounts) => boolean): Promise<void> {
    while (!reached(this.counts)) await new Promise<void>((resolve) => this.#told.push(resolve));
  }

  async sent(count: number, collection = 'model_inputs'): Promise<void> {
    await this.until((counts) => counts.of(collection).sent >= count);
  }

  async said(text: string): Promise<void> {
    while (!this.lines.some((line) => line.includes(text))) await new Promise<void>((resolve) => this.#told.push(resolve));
  }

  /** As if its thread were gone: nothing is reported from now on. */
  async lose(): Promise<void> {
    this.#lost = true;
    this.counts.dropHanded('writer_lost', {});
    await this.writer.close(0);
  }

  /** Closes, and waits for the last counts, which are told at the end of the turn. */
  async close(timeoutMs = 60_000): Promise<void> {
    await this.writer.close(timeoutMs);
    await delay(0);
    await new Promise((resolve) => setImmediate(resolve));
  }

  #log(text: string): void {
    this.lines.push(text);
    this.#wake();
  }

  #wake(): void {
    const told = this.#told;
    this.#told = [];
    for (const wake of told) wake();
  }
}

/** 0, 1, ... count - 1: what must have arrived, once each. */
export const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n);
