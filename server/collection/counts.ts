/** The state that a record is counted in: README.md, "States of a block". */
export type RecordResult = 'queued' | 'sampled_out' | 'not_selected' | 'sent' | 'spilled' | 'dropped';

/** Why a record was not delivered. */
export type DropReason =
  | 'queue_full'
  | 'invalid_data'
  | 'too_many_collections'
  | 'rejected'
  | 'flush_timeout'
  | 'spill_damaged'
  | 'writer_lost';

/** The collection of records whose own is not known, or is one too many. */
export const UNKNOWN = 'unknown';

/** A report of the writer's thread: outcomes since its last one. */
export interface Progress {
  /** Records that are settled, and their bytes of memory: sent, spilled or dropped. */
  readonly records: number;
  readonly bytes: number;
  readonly results: readonly (readonly [collection: string, result: RecordResult, count: number])[];
  readonly dropped: readonly (readonly [reason: DropReason, count: number])[];
  readonly flushSeconds: readonly number[];
  readonly errors: readonly (readonly [code: string, count: number])[];
  /** Seconds since 1970; 0 before the first success. */
  readonly lastSuccess: number;
  /** Dead letters that were removed for newer ones. */
  readonly deadLettersRemoved: number;
}

/** Durations that wait for a scrape. */
const MOST_DURATIONS = 5000;

/** Plain numbers that a scrape reads, because prom-client hashes labels at each count. */
export class CollectionCounts {
  readonly results = new Map<string, Record<RecordResult, number>>();
  readonly dropped = new Map<DropReason, number>();
  readonly errors = new Map<string, number>();
  /** Bodies that were not redacted, and therefore not collected, by reason. */
  readonly notRedacted = new Map<string, number>();
  readonly flushSeconds: number[] = [];
  lastSuccess = 0;
  deadLettersRemoved = 0;
  /** Records that were admitted and are not settled. */
  records = 0;
  bytes = 0;

  of(collection: string): Record<RecordResult, number> {
    let row = this.results.get(collection);
    if (row === undefined) {
      row = { queued: 0, sampled_out: 0, not_selected: 0, sent: 0, spilled: 0, dropped: 0 };
      this.results.set(collection, row);
    }
    return row;
  }

  drop(collection: string, reason: DropReason, count = 1): void {
    this.of(collection).dropped += count;
    this.dropped.set(reason, (this.dropped.get(reason) ?? 0) + count);
  }

  /** Sums of all collections. */
  totals(): { readonly sent: number; readonly spilled: number; readonly dropped: Readonly<Record<string, number>> } {
    const rows = [...this.results.values()];
    return {
      sent: rows.reduce((sum, row) => sum + row.sent, 0),
      spilled: rows.reduce((sum, row) => sum + row.spilled, 0),
      dropped: Object.fromEntries(this.dropped),
    };
  }

  failRedaction(reason: string): void {
    this.notRedacted.set(reason, (this.notRedacted.get(reason) ?? 0) + 1);
  }

  release(bytes: number): void {
    this.bytes = Math.max(0, this.bytes - bytes);
  }

  add(progress: Progress): void {
    this.records = Math.max(0, this.records - progress.records);
    this.release(progress.bytes);
    for (const [collection, result, count] of progress.results) this.of(collection)[result] += count;
    for (const [reason, count] of progress.dropped) this.dropped.set(reason, (this.dropped.get(reason) ?? 0) + count);
    for (const [code, count] of progress.errors) this.errors.set(code, (this.errors.get(code) ?? 0) + count);
    this.flushSeconds.push(...progress.flushSeconds);
    // Without a scrape the oldest durations go.
    if (this.flushSeconds.length > MOST_DURATIONS) this.flushSeconds.splice(0, this.flushSeconds.length - MOST_DURATIONS);
    this.lastSuccess = Math.max(this.lastSuccess, progress.lastSuccess);
    this.deadLettersRemoved += progress.deadLettersRemoved;
  }
}
