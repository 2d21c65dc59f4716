import { REDACTION_FAILURES, type RedactionFailure } from '../ipc/redaction.ts';

/**
 * Results of records: README.md, "The account". `queued` and `adopted` come in, `sent` and
 * `dropped` go out. `spilled` goes to disk, `replayed` leaves it.
 */
export const RESULTS = ['queued', 'adopted', 'sampled_out', 'not_selected', 'sent', 'spilled', 'replayed', 'dropped'] as const;
export type RecordResult = (typeof RESULTS)[number];

/** Why a record was not delivered. docs/data-collection.md explains each. */
export const DROP_REASONS = [
  'queue_full',
  'spill_full',
  'spill_failed',
  'spill_damaged',
  'rejected',
  'flush_timeout',
  'writer_lost',
  'invalid_data',
  'too_many_collections',
] as const;
export type DropReason = (typeof DROP_REASONS)[number];

/** What a record that finds no room is dropped for. */
export type Overflow = Extract<DropReason, 'queue_full' | 'spill_full' | 'spill_failed'>;

/** Why a record goes without its body. */
export const OMIT_REASONS = ['memory', 'size', 'not_read', 'redaction'] as const;
export type OmitReason = (typeof OMIT_REASONS)[number];

/** Collection of records on disk that cannot be read. */
export const UNKNOWN = 'unknown';
/** Collections with counts of their own. Further ones share `OTHER`. */
export const MOST_COUNTED = 200;
export const OTHER = 'other';

type Results = Record<RecordResult, number>;
type Omitted = Record<OmitReason, number>;

/** A report of the writer's thread: outcomes since its last one. */
export interface Progress {
  /** Records in memory that are settled: sent, spilled or dropped. */
  readonly records: number;
  /** Change of the thread's memory, in bytes. */
  readonly bytes: number;
  readonly results: readonly (readonly [collection: string, result: RecordResult, count: number])[];
  readonly dropped: readonly (readonly [reason: DropReason, count: number])[];
  /** Bodies that were left out because they are too large for the sink. */
  readonly tooLarge: readonly (readonly [collection: string, count: number])[];
  readonly overflow: Overflow;
  /** Size of what waits on disk. */
  readonly spoolBytes: number;
  readonly flushSeconds: readonly number[];
  readonly errors: readonly (readonly [code: string, count: number])[];
  /** Seconds since 1970; 0 before the first success. */
  readonly lastSuccess: number;
  /** Dead letters that were removed for newer ones. */
  readonly deadLettersRemoved: number;
  /** Files of the sink that were removed for newer ones. */
  readonly filesRemoved: number;
}

/** Durations that wait for a scrape. */
const MOST_DURATIONS = 5000;

/** Plain numbers that a scrape reads, because prom-client hashes labels at each count. */
export class CollectionCounts {
  readonly results = new Map<string, Results>();
  readonly dropped = new Map<DropReason, number>(DROP_REASONS.map((reason) => [reason, 0]));
  readonly omitted = new Map<string, Omitted>();
  readonly errors = new Map<string, number>();
  /** Bodies that were not redacted, and therefore not collected, by reason. */
  readonly notRedacted = new Map<RedactionFailure, number>(REDACTION_FAILURES.map((reason) => [reason, 0]));
  readonly flushSeconds: number[] = [];
  lastSuccess = 0;
  deadLettersRemoved = 0;
  filesRemoved = 0;
  /** Records in memory, of the host and of the thread. */
  records = 0;
  /** Memory that captures and redactions hold in the host. */
  heldBytes = 0;
  /** Memory of records on their way to the thread, and in it. */
  handedBytes = 0;
  spoolBytes = 0;
  overflow: Overflow = 'queue_full';

  /** @param known collections that have counts from the start */
  constructor(known: readonly string[] = []) {
    for (const collection of known) this.#add(collection);
    for (const half of ['request', 'response']) if (known.includes(half)) this.bodiesOf(half);
  }

  get bytes(): number {
    return this.heldBytes + this.handedBytes;
  }

  /** Records on disk, dead letters apart. */
  get spoolRecords(): number {
    let records = 0;
    for (const row of this.results.values()) records += onDisk(row);
    return records;
  }

  of(collection: string): Results {
    return this.results.get(collection) ?? (this.results.size < MOST_COUNTED ? this.#add(collection) : this.#other());
  }

  bodiesOf(collection: string): Omitted {
    const name = this.results.has(collection) ? collection : OTHER;
    let row = this.omitted.get(name);
    if (row === undefined) this.omitted.set(name, (row = { memory: 0, size: 0, not_read: 0, redaction: 0 }));
    return row;
  }

  /** Counts records that were in memory, or never entered it. */
  drop(collection: string, reason: DropReason, count = 1): void {
    this.of(collection).dropped += count;
    this.#dropped(reason, count);
  }

  /** Counts records that never enter memory: they are queued and dropped at once. */
  refuse(collection: string, reason: DropReason, count = 1): void {
    this.of(collection).queued += count;
    this.drop(collection, reason, count);
  }

  /** Sums of all collections. */
  totals(): Results & { readonly droppedFor: Readonly<Record<string, number>>; readonly omitted: Readonly<Record<string, number>> } {
    const rows = [...this.results.values()];
    const sums = RESULTS.map((result) => [result, rows.reduce((sum, row) => sum + row[result], 0)] as const);
    const bodies = [...this.omitted.values()];
    const omitted = OMIT_REASONS.map((reason) => [reason, bodies.reduce((sum, row) => sum + row[reason], 0)] as const);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- one entry for each of RESULTS
    const results = Object.fromEntries(sums) as Results;
    return { ...results, droppedFor: nonZero(this.dropped), omitted: nonZero(omitted) };
  }

  failRedaction(reason: RedactionFailure, bodies = 1): void {
    this.notRedacted.set(reason, (this.notRedacted.get(reason) ?? 0) + bodies);
  }

  add(progress: Progress): void {
    this.records = Math.max(0, this.records - progress.records);
    this.handedBytes = Math.max(0, this.handedBytes + progress.bytes);
    for (const [collection, result, count] of progress.results) this.of(collection)[result] += count;
    for (const [reason, count] of progress.dropped) this.#dropped(reason, count);
    for (const [collection, count] of progress.tooLarge) this.bodiesOf(collection).size += count;
    for (const [code, count] of progress.errors) this.errors.set(code, (this.errors.get(code) ?? 0) + count);
    this.flushSeconds.push(...progress.flushSeconds);
    // Without a scrape the oldest durations go.
    if (this.flushSeconds.length > MOST_DURATIONS) this.flushSeconds.splice(0, this.flushSeconds.length - MOST_DURATIONS);
    this.lastSuccess = Math.max(this.lastSuccess, progress.lastSuccess);
    this.deadLettersRemoved += progress.deadLettersRemoved;
    this.filesRemoved += progress.filesRemoved;
    this.overflow = progress.overflow;
    this.spoolBytes = progress.spoolBytes;
  }

  /**
   * Takes what a new thread has found on disk. After a loss, the account of the last thread may
   * differ: it had not reported all that it did.
   */
  found(records: ReadonlyMap<string, number>): void {
    const found = new Map<Results, number>();
    for (const [collection, count] of records) found.set(this.of(collection), (found.get(this.of(collection)) ?? 0) + count);
    for (const [collection, row] of this.results) {
      const more = (found.get(row) ?? 0) - onDisk(row);
      if (more >= 0) row.adopted += more;
      else {
        row.replayed -= more;
        this.drop(collection, 'writer_lost', -more);
      }
    }
  }

  /**
   * Drops all records of the thread.
   * @param except records that the host still has, by collection
   */
  dropHanded(reason: DropReason, except: Readonly<Record<string, number>>): void {
    for (const [collection, row] of this.results) {
      const lost = inMemory(row) - (except[collection] ?? 0);
      if (lost > 0) this.drop(collection, reason, lost);
      this.records -= lost;
    }
    this.handedBytes = 0;
  }

  #add(collection: string): Results {
    const row = { queued: 0, adopted: 0, sampled_out: 0, not_selected: 0, sent: 0, spilled: 0, replayed: 0, dropped: 0 };
    this.results.set(collection, row);
    return row;
  }

  #other(): Results {
    return this.results.get(OTHER) ?? this.#add(OTHER);
  }

  #dropped(reason: DropReason, count: number): void {
    this.dropped.set(reason, (this.dropped.get(reason) ?? 0) + count);
  }
}

/** The account of memory. */
const inMemory = ({ queued, replayed, sent, spilled, dropped }: Results): number => queued + replayed - sent - spilled - dropped;
/** The account of the disk. */
const onDisk = ({ adopted, spilled, replayed }: Results): number => adopted + spilled - replayed;

const nonZero = (counts: Iterable<readonly [string, number]>): Record<string, number> =>
  Object.fromEntries([...counts].filter(([, count]) => count > 0));
