import type { DropReason, Progress, RecordResult } from '../counts.ts';
import type { Block } from '../encode/block.ts';

/** Outcomes of lines since the last report to the host. */
export class Tally {
  readonly #results = new Map<string, Map<RecordResult, number>>();
  readonly #dropped = new Map<DropReason, number>();
  readonly #errors = new Map<string, number>();
  #flushSeconds: number[] = [];
  #records = 0;
  #bytes = 0;
  #deadLettersRemoved = 0;
  #filesRemoved = 0;
  lastSuccess = 0;
  readonly #report: (progress: Progress) => void;
  #scheduled = false;

  constructor(report: (progress: Progress) => void) {
    this.#report = report;
  }

  settle(blocks: readonly Block[], result: RecordResult, reason?: DropReason): void {
    if (blocks.length === 0) return;
    for (const { collection, records, counted, cost } of blocks) {
      const row = this.#results.get(collection) ?? new Map<RecordResult, number>();
      this.#results.set(collection, row.set(result, (row.get(result) ?? 0) + records));
      if (reason !== undefined) this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + records);
      if (counted) this.#records += records;
      this.#bytes += cost;
    }
    this.#schedule();
  }

  /** Lines that cannot be read, so that their collection is not known. */
  damaged(count: number): void {
    if (count === 0) return;
    this.#results.set('unknown', new Map([['dropped', count + (this.#results.get('unknown')?.get('dropped') ?? 0)]]));
    this.#dropped.set('spill_damaged', (this.#dropped.get('spill_damaged') ?? 0) + count);
    this.#schedule();
  }

  flushed(seconds: number): void {
    this.#flushSeconds.push(seconds);
    this.lastSuccess = Date.now() / 1000;
    this.#schedule();
  }

  /** Dead letters that were removed for newer ones. */
  removed(count: number): void {
    this.#deadLettersRemoved += count;
    this.#schedule();
  }

  /** Files of the sink that were removed for newer ones. */
  filesRemoved(count: number): void {
    this.#filesRemoved += count;
    this.#schedule();
  }

  failed(code: string): void {
    this.#errors.set(code, (this.#errors.get(code) ?? 0) + 1);
    this.#schedule();
  }

  /** Reports now. */
  flush(): void {
    this.#scheduled = false;
    this.#report({
      records: this.#records,
      bytes: this.#bytes,
      results: [...this.#results].flatMap(([collection, row]) => [...row].map(([result, count]) => [collection, result, count] as const)),
      dropped: [...this.#dropped],
      flushSeconds: this.#flushSeconds,
      errors: [...this.#errors],
      lastSuccess: this.lastSuccess,
      deadLettersRemoved: this.#deadLettersRemoved,
      filesRemoved: this.#filesRemoved,
    });
    this.#results.clear();
    this.#dropped.clear();
    this.#errors.clear();
    this.#flushSeconds = [];
    this.#records = 0;
    this.#bytes = 0;
    this.#deadLettersRemoved = 0;
    this.#filesRemoved = 0;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#scheduled && this.flush());
  }
}
