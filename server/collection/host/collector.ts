import { type RedactableBody, type RedactedBody, redactionFailures } from '../../ipc/redaction.ts';
import type { Log } from '../../log.ts';
import { isSampled } from '../../request/sampling.ts';
import { Capture } from './capture.ts';
import { CollectionCounts, OTHER, UNKNOWN, type DropReason, type OmitReason, type RecordResult } from '../counts.ts';
import { HandOver } from './hand-over.ts';
import { KnownCollections } from './known-collections.ts';
import { queryAsBody, redactable, withoutQuery, withRedacted } from './redactable-record.ts';
import { Body, collectionOf, exchangeBytes, isKept, rowsBytes, type BodyState, type ExchangeRecord, type Side } from '../records.ts';
import { rateOf, type CollectionSettings } from '../settings.ts';
import { WriterLink, type HostStdout } from './writer-link.ts';

/**
 * Limits of all records in memory, those of the thread included. Beyond them bodies are left out,
 * then records are dropped. Both are counted.
 */
const MAX_RECORDS = 50_000;
const MAX_BYTES = 64 * 1024 * 1024;
/** Memory of an exchange that waits for its redaction, besides its bodies; about. */
const REDACTION_BYTES = 2048;

const HALVES = ['request', 'response'] as const;

/** Why a record has no body. */
const OMITTED: Partial<Record<BodyState, OmitReason>> = {
  [Body.notRead]: 'not_read',
  [Body.tooLarge]: 'size',
  [Body.noMemory]: 'memory',
  [Body.notRedacted]: 'redaction',
};

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
  /** The server's stdout. */
  readonly stdout: HostStdout;
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
  readonly counts: CollectionCounts;
  readonly captureHeaders: readonly string[];
  readonly sink: string;
  readonly #redactor: Redactor;
  readonly #log: Parts['log'];
  readonly #handOver: HandOver;
  readonly #writer: WriterLink;
  readonly #requests: Record<RecordResult, number>;
  readonly #responses: Record<RecordResult, number>;
  readonly #requestRate: number;
  readonly #responseRate: number;
  readonly #flushTimeoutMs: number;
  readonly #known: KnownCollections;
  readonly #redacting = new Set<Promise<void>>();
  /** Records that wait for their redaction. The writer's thread does not have them. */
  readonly #unredacted = { request: 0, response: 0 };
  #closing: Promise<boolean> | undefined;

  constructor({ settings, redactor, log, stdout, agent, env }: Parts) {
    this.captureHeaders = settings.captureHeaders;
    this.sink = settings.sink.kind;
    this.#redactor = redactor;
    this.#known = new KnownCollections((text) => log.warn(text));
    this.#log = log;
    this.#requestRate = rateOf(settings, 'request');
    this.#responseRate = rateOf(settings, 'response');
    this.#flushTimeoutMs = settings.flushTimeoutMs;
    this.counts = new CollectionCounts(startCollections(settings));
    for (const reason of redactionFailures) this.counts.failRedaction(reason, 0);
    // The rows of a half that is not collected stay at 0, and nobody sees them.
    const unseen = new CollectionCounts();
    this.#requests = (this.#requestRate > 0 ? this.counts : unseen).of('request');
    this.#responses = (this.#responseRate > 0 ? this.counts : unseen).of('response');
    // Made before the link, because a thread that cannot be started is lost at once.
    this.#handOver = new HandOver((batch, bytes) => this.#writer.post(batch, bytes));
    this.#writer = new WriterLink(settings, agent, env, {
      log,
      stdout,
      found: (records) => this.counts.found(records),
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
    this.counts.heldBytes += bytes;
    return true;
  }

  release(bytes: number): void {
    this.counts.heldBytes -= bytes;
  }

  /** Takes a scoring request that is over. */
  exchange(given: ExchangeRecord): void {
    const { needed } = this.#redactor;
    if (needed === false) return this.#take(given);
    // Before a worker is ready, no request is scored: there is no body of a client.
    const record = withoutQuery(needed === true ? queryAsBody(given) : given);
    return needed === true ? this.#redactFirst(record) : this.#take(record);
  }

  /** Takes rows that a script collected. @param payload of a worker's `collect` frame */
  rows(payload: Buffer): void {
    const collection = collectionOf(payload);
    if (!this.#known.has(collection)) return this.counts.refuse(OTHER, 'too_many_collections');
    const bytes = rowsBytes(payload);
    if (!this.#fits(1, bytes)) return this.counts.refuse(collection, this.counts.overflow);
    // Counted afterwards, because a thread that is found lost here takes only what was counted.
    this.#handOver.rows(payload);
    this.counts.of(collection).queued++;
    this.counts.records++;
    this.counts.handedBytes += bytes;
  }

  /** Counts records that a worker did not hand over. */
  notCollected(given: string, reason: DropReason | 'sampled_out' | 'not_selected', count: number): void {
    const collection = this.#known.has(given) ? given : OTHER;
    if (reason === 'sampled_out' || reason === 'not_selected') this.counts.of(collection)[reason] += count;
    else this.counts.refuse(collection, reason, count);
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
    this.counts.dropHanded('flush_timeout', this.#unredacted);
    const { queued, adopted, sent, droppedFor: dropped, omitted } = this.counts.totals();
    const spooled = this.counts.spoolRecords;
    const lost = Object.keys(dropped).length > 0;
    // The last numbers are for the log, because no scrape follows.
    this.#log[lost ? 'warn' : 'info'](
      { queued, adopted, sent, spooled, dropped, bodiesOmitted: omitted },
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

  #fits(records: number, bytes: number): boolean {
    return this.counts.records + records <= MAX_RECORDS && this.counts.bytes + bytes <= MAX_BYTES;
  }

  #take(record: ExchangeRecord): void {
    const bytes = exchangeBytes(record);
    const taken = this.#fits(recordsOf(record), bytes) ? record : this.#shrink(record);
    if (taken === undefined) return;
    this.#pass(taken, taken === record ? bytes : exchangeBytes(taken));
    this.#queued(taken);
  }

  /** Answers a record that does not fit without its bodies, or undefined: it is dropped. */
  #shrink(record: ExchangeRecord): ExchangeRecord | undefined {
    const records = recordsOf(record);
    if (this.#fits(records, 0)) {
      const without = withoutBodies(record);
      if (this.#fits(records, exchangeBytes(without))) return without;
    }
    for (const half of HALVES) if (isCollected(record[half])) this.counts.refuse(half, this.counts.overflow);
    return undefined;
  }

  #queued(record: ExchangeRecord): void {
    const [requests, responses] = [Number(isCollected(record.request)), Number(isCollected(record.response))];
    this.#requests.queued += requests;
    this.#responses.queued += responses;
    this.counts.records += requests + responses;
  }

  /**
   * Passes on a record. It is counted afterwards, because a thread that is found lost here takes
   * only what was counted.
   */
  #pass(record: ExchangeRecord, bytes: number): void {
    if (isOmitted(record.request)) this.#omit('request', record.request.state);
    if (isOmitted(record.response)) this.#omit('response', record.response.state);
    this.#handOver.exchange(record, bytes);
    this.counts.handedBytes += bytes;
  }

  #omit(half: 'request' | 'response', state: BodyState): void {
    const reason = OMITTED[state];
    if (reason !== undefined) this.counts.bodiesOf(half)[reason]++;
  }

  #redactFirst(record: ExchangeRecord): void {
    const taken = this.#fits(recordsOf(record), exchangeBytes(record)) ? record : this.#shrink(record);
    if (taken === undefined) return;
    const bodies = redactable(taken);
    if (bodies.length === 0) {
      this.#pass(taken, exchangeBytes(taken));
      return this.#queued(taken);
    }
    this.#queued(taken);
    const done = this.#redactAndPass(taken, bodies);
    this.#redacting.add(done);
    void done.finally(() => this.#redacting.delete(done));
  }

  /** The record takes memory while it waits for the hook. */
  async #redactAndPass(record: ExchangeRecord, bodies: readonly RedactableBody[]): Promise<void> {
    const held = record.request.bodyBytes + record.response.bodyBytes + REDACTION_BYTES;
    const [requests, responses] = [Number(isCollected(record.request)), Number(isCollected(record.response))];
    this.counts.heldBytes += held;
    this.#unredacted.request += requests;
    this.#unredacted.response += responses;
    const results = await this.#redactor.redact(record.id, bodies);
    for (const result of results) if (typeof result === 'string') this.counts.failRedaction(result);
    const redacted = withRedacted(record, bodies, results);
    this.release(held);
    const kept = this.#fits(0, exchangeBytes(redacted)) ? redacted : withoutBodies(redacted);
    this.#pass(kept, exchangeBytes(kept));
    this.#unredacted.request -= requests;
    this.#unredacted.response -= responses;
  }

  /** The records of the thread are lost, except those on disk. */
  #writerLost(): void {
    this.#handOver.discard();
    this.counts.dropHanded('writer_lost', this.#unredacted);
  }
}

/** Collections that are in use, or may be. Their counts exist from the start. */
const startCollections = ({ rates, others }: CollectionSettings): string[] => [
  ...HALVES.filter((half) => rateOf({ rates, others }, half) > 0),
  ...Object.keys(rates).filter((name) => !(HALVES as readonly string[]).includes(name)),
  UNKNOWN,
];

const isOmitted = (side: Side): boolean => isCollected(side) && !isKept(side);
const isCollected = ({ state }: Side): boolean => state !== Body.notCollected;
const recordsOf = ({ request, response }: ExchangeRecord): number => Number(isCollected(request)) + Number(isCollected(response));

function withoutBodies(record: ExchangeRecord): ExchangeRecord {
  const without = (side: Side): Side => (isKept(side) ? { ...side, state: Body.noMemory, body: [], bodyBytes: 0 } : side);
  return { ...record, request: without(record.request), response: without(record.response) };
}
