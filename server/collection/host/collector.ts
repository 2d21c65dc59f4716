import type { RedactableBody, RedactedBody } from '../../ipc/redaction.ts';
import type { Log } from '../../log.ts';
import { isSampled } from '../../request/sampling.ts';
import { Capture } from './capture.ts';
import { CollectionCounts, UNKNOWN, type DropReason } from '../counts.ts';
import { HandOver } from './hand-over.ts';
import { KnownCollections } from './known-collections.ts';
import { queryAsBody, redactable, withoutQuery, withRedacted } from './redactable-record.ts';
import { Body, collectionOf, costOf, isKept, rowsBytes, type ExchangeRecord, type Side } from '../records.ts';
import { rateOf, type CollectionSettings } from '../settings.ts';
import { WriterLink } from './writer-link.ts';

/** Limits of all records that are not settled. Beyond them new records are dropped and counted. */
const MAX_RECORDS = 50_000;
const MAX_BYTES = 64 * 1024 * 1024;

/** Runs the entry script's hook `redact`, in a worker. */
export interface Redactor {
  /** True where the script exports the hook. Undefined: not known before a worker is ready. */
  readonly needed: boolean | undefined;
  /** Undefined: the body must not be collected. A text: why redaction failed. Never rejects. */
  redact(id: string, sides: readonly RedactableBody[]): Promise<readonly RedactedBody[]>;
}

interface Parts {
  readonly settings: CollectionSettings;
  readonly redactor: Redactor;
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>;
  /** Writes lines to the server's stdout, for the sink of that name. */
  readonly print: (line: string) => void;
  /** Name and version of this server. */
  readonly agent: string;
  /** Environment of the writer's thread: credentials, proxies, certificates. */
  readonly env: NodeJS.ProcessEnv;
}

/**
 * The host's side of data collection: samples, bounds memory, and hands records to the writer's
 * thread. Never throws.
 */
export class HostCollector {
  readonly counts = new CollectionCounts();
  readonly captureHeaders: readonly string[];
  readonly sink: string;
  readonly #redactor: Redactor;
  readonly #log: Parts['log'];
  readonly #handOver: HandOver;
  readonly #writer: WriterLink;
  readonly #requestRate: number;
  readonly #responseRate: number;
  readonly #flushTimeoutMs: number;
  readonly #known: KnownCollections;
  readonly #redacting = new Set<Promise<void>>();
  /** Records that wait for their redaction. The writer's thread does not have them. */
  #unredacted = 0;
  #closing: Promise<boolean> | undefined;

  constructor({ settings, redactor, log, print, agent, env }: Parts) {
    this.captureHeaders = settings.captureHeaders;
    this.sink = settings.sink.kind;
    this.#redactor = redactor;
    this.#known = new KnownCollections((text) => log.warn(text));
    this.#log = log;
    this.#requestRate = rateOf(settings, 'request');
    this.#responseRate = rateOf(settings, 'response');
    this.#flushTimeoutMs = settings.flushTimeoutMs;
    // Made before the link, because a thread that cannot be started is lost at once.
    this.#handOver = new HandOver((batch, bytes) => this.#writer.post(batch, bytes));
    this.#writer = new WriterLink(settings, agent, env, {
      log,
      print,
      progress: (progress) => this.counts.add(progress),
      recycle: (batch) => this.#handOver.recycle(batch),
      lost: () => this.#writerLost(),
    });
  }

  /** Begins the capture of a request. Answers undefined where neither half of it is collected. */
  capture(id: string): Capture | undefined {
    const [request, response] = [this.#samples('request', id, this.#requestRate), this.#samples('response', id, this.#responseRate)];
    return request || response ? new Capture(this, id, request, response) : undefined;
  }

  hold(bytes: number): boolean {
    if (this.counts.bytes + bytes > MAX_BYTES) return false;
    this.counts.bytes += bytes;
    return true;
  }

  release(bytes: number): void {
    this.counts.release(bytes);
  }

  /** Takes a scoring request that is over. */
  exchange(given: ExchangeRecord): void {
    const { needed } = this.#redactor;
    if (needed === false) return this.#exchange(given);
    // Before a worker is ready, no request is scored: there is no body of a client.
    const record = withoutQuery(needed === true ? queryAsBody(given) : given);
    const bodies = needed === true ? redactable(record) : [];
    if (bodies.length === 0) return this.#exchange(record);
    if (!this.#admit(recordsOf(record), record.request.bodyBytes + record.response.bodyBytes)) return this.#exchange(withoutBodies(record));
    const done = this.#redactAndKeep(record, bodies);
    this.#redacting.add(done);
    void done.finally(() => this.#redacting.delete(done));
  }

  /** Takes rows that a script collected. @param payload of a worker's `collect` frame */
  rows(payload: Buffer): void {
    const collection = collectionOf(payload);
    if (!this.#known.has(collection)) return this.counts.drop(UNKNOWN, 'too_many_collections');
    if (!this.#admit(1, rowsBytes(payload))) return this.counts.drop(collection, 'queue_full');
    this.counts.of(collection).queued++;
    this.#handOver.rows(payload);
  }

  /** Counts records that a worker did not hand over. */
  notCollected(given: string, reason: DropReason | 'sampled_out' | 'not_selected', count: number): void {
    const collection = this.#known.has(given) ? given : UNKNOWN;
    if (reason === 'sampled_out' || reason === 'not_selected') this.counts.of(collection)[reason] += count;
    else this.counts.drop(collection, reason, count);
  }

  /** Resolves when no record waits for a worker. */
  async redacted(): Promise<void> {
    await Promise.all(this.#redacting);
  }

  /**
   * Delivers the rest within the limit, then spills it, or drops and counts it. A second call waits
   * for the first. Answers false where the writer's thread does not end.
   */
  close(): Promise<boolean> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<boolean> {
    await this.#handOver.flushed();
    const ended = await this.#writer.close(this.#flushTimeoutMs);
    if (this.counts.records > this.#unredacted) this.#settleRest('flush_timeout');
    const { sent, spilled, dropped } = this.counts.totals();
    const lost = Object.keys(dropped).length > 0;
    // The last numbers are for the log, because no scrape follows.
    this.#log[lost ? 'warn' : 'info'](
      { sent, spilled, dropped },
      lost ? 'data collection ends; not all of it was delivered' : 'data collection ends; nothing was lost',
    );
    return ended;
  }

  #samples(collection: string, id: string, rate: number): boolean {
    if (rate === 0) return false;
    if (isSampled(id, rate)) return true;
    this.counts.of(collection).sampled_out++;
    return false;
  }

  #exchange(record: ExchangeRecord): void {
    const admitted = this.#admit(recordsOf(record), costOf(record));
    for (const collection of ['request', 'response'] as const) {
      if (!isCollected(record[collection])) continue;
      if (admitted) this.counts.of(collection).queued++;
      else this.counts.drop(collection, 'queue_full');
    }
    if (admitted) this.#handOver.exchange(record);
  }

  #admit(records: number, bytes: number): boolean {
    if (this.counts.records + records > MAX_RECORDS || this.counts.bytes + bytes > MAX_BYTES) return false;
    this.counts.records += records;
    this.counts.bytes += bytes;
    return true;
  }

  /** The record has been admitted, because it takes memory while it waits for the hook. */
  async #redactAndKeep(record: ExchangeRecord, bodies: readonly RedactableBody[]): Promise<void> {
    const records = recordsOf(record);
    this.#unredacted += records;
    const results = await this.#redactor.redact(record.id, bodies);
    for (const result of results) if (typeof result === 'string') this.counts.failRedaction(result);
    this.#unredacted -= records;
    this.counts.records -= records;
    this.release(record.request.bodyBytes + record.response.bodyBytes);
    this.#exchange(withRedacted(record, bodies, results));
  }

  #writerLost(): void {
    this.#handOver.discard();
    this.#settleRest('writer_lost');
  }

  /** Counts records without a reported outcome. Only the thread knew their collections. */
  #settleRest(reason: DropReason): void {
    this.counts.drop(UNKNOWN, reason, this.counts.records - this.#unredacted);
    this.counts.records = this.#unredacted;
    this.counts.bytes = 0;
  }
}

const isCollected = ({ state }: Side): boolean => state !== Body.notCollected;
const recordsOf = ({ request, response }: ExchangeRecord): number => Number(isCollected(request)) + Number(isCollected(response));

function withoutBodies(record: ExchangeRecord): ExchangeRecord {
  const without = (side: Side): Side => (isKept(side) ? { ...side, state: Body.tooLarge, body: [], bodyBytes: 0 } : side);
  return { ...record, request: without(record.request), response: without(record.response) };
}
