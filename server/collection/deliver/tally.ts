import type { DropReason, Overflow, Progress, RecordResult } from '../counts.ts';
import { memoryOf, type Block } from '../encode/block.ts';

/** What happened to lines since the last report to the host. */
export class Tally {
  readonly #results = new Map<string, Map<RecordResult, number>>();
  readonly #dropped = new Map<DropReason, number>();
  readonly #tooLarge = new Map<string, number>();
  readonly #errors = new Map<string, number>();
  #flushSeconds: number[] = [];
  #records = 0;
  #bytes = 0;
  #deadLettersRemoved = 0;
  #filesRemoved = 0;
  #overflow: Overflow = 'queue_full';
  lastSuccess = 0;
  readonly #report: (progress: Progress) => void;
  readonly #spoolBytes: () => number;
  #scheduled = false;

  /** @param spoolBytes answers the size of what waits on disk */
  constructor(report: (progress: Progress) => void, spoolBytes: () => number = () => 0) {
    this.#report = report;
    this.#spoolBytes = spoolBytes;
  }

  /** What a record that finds no room is dropped for. */
  get overflow(): Overflow {
    return this.#overflow;
  }

  set overflow(reason: Overflow) {
    if (reason === this.#overflow) return;
    this.#overflow = reason;
    this.changed();
  }

  /** A batch of so many bytes is read, and its memory is free. */
  read(bytes: number): void {
    this.#bytes -= bytes;
    this.changed();
  }

  /** A block has come into memory. */
  took(block: Block): void {
    this.#bytes += memoryOf(block);
    this.changed();
  }

  /** Blocks have an end, and their memory is free. */
  settle(blocks: readonly Block[], result: 'sent' | 'spilled' | 'dropped', reason?: DropReason): void {
    for (const block of blocks) {
      const { collection, records, counted } = block;
      this.#bytes -= memoryOf(block);
      if (records === 0) continue;
      this.#count(collection, result, records);
      if (reason !== undefined) this.#drop(reason, records);
      if (counted) this.#records += records;
      else this.#count(collection, 'replayed', records);
    }
    if (blocks.length > 0) this.changed();
  }

  /** A block from disk, whose memory is counted already, is in memory only from now on. */
  recalled({ collection, records }: Block): void {
    this.#count(collection, 'replayed', records);
    this.#records -= records;
    this.changed();
  }

  /** Lines of earlier processes are on this one's disk. */
  adopted(records: ReadonlyMap<string, number>): void {
    for (const [collection, count] of records) this.#count(collection, 'adopted', count);
    this.changed();
  }

  /** Lines on disk cannot be read. */
  damaged(records: ReadonlyMap<string, number>): void {
    for (const [collection, count] of records) {
      this.#count(collection, 'replayed', count);
      this.#count(collection, 'dropped', count);
      this.#drop('spill_damaged', count);
    }
    this.changed();
  }

  /** The line of a record goes without its data, which the sink cannot take. */
  tooLarge(collection: string): void {
    this.#tooLarge.set(collection, (this.#tooLarge.get(collection) ?? 0) + 1);
    this.changed();
  }

  flushed(seconds: number): void {
    this.#flushSeconds.push(seconds);
    this.lastSuccess = Date.now() / 1000;
    this.changed();
  }

  /** Dead letters that were removed for newer ones. */
  removed(count: number): void {
    this.#deadLettersRemoved += count;
    this.changed();
  }

  /** Files of the sink that were removed for newer ones. */
  filesRemoved(count: number): void {
    this.#filesRemoved += count;
    this.changed();
  }

  failed(code: string): void {
    this.#errors.set(code, (this.#errors.get(code) ?? 0) + 1);
    this.changed();
  }

  /** Reports at the end of this turn. */
  changed(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#scheduled && this.flush());
  }

  /** Reports now. */
  flush(): void {
    this.#scheduled = false;
    this.#report({
      records: this.#records,
      bytes: this.#bytes,
      results: [...this.#results].flatMap(([collection, row]) => [...row].map(([result, count]) => [collection, result, count] as const)),
      dropped: [...this.#dropped],
      tooLarge: [...this.#tooLarge],
      overflow: this.#overflow,
      spoolBytes: this.#spoolBytes(),
      flushSeconds: this.#flushSeconds,
      errors: [...this.#errors],
      lastSuccess: this.lastSuccess,
      deadLettersRemoved: this.#deadLettersRemoved,
      filesRemoved: this.#filesRemoved,
    });
    for (const counts of [this.#results, this.#dropped, this.#tooLarge, this.#errors]) counts.clear();
    this.#flushSeconds = [];
    this.#records = 0;
    this.#bytes = 0;
    this.#deadLettersRemoved = 0;
    this.#filesRemoved = 0;
  }

  #count(collection: string, result: RecordResult, count: number): void {
    const row = this.#results.get(collection) ?? new Map<RecordResult, number>();
    this.#results.set(collection, row.set(result, (row.get(result) ?? 0) + count));
  }

  #drop(reason: DropReason, count: number): void {
    this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + count);
  }
}
