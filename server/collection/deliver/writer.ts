import { setTimeout as delay } from 'node:timers/promises';
import type { Layout } from '../encode/layout.ts';
import type { Block } from '../encode/block.ts';
import { Pending } from './pending.ts';
import type { Retry } from './retry.ts';
import { SinkError, type Batch, type Sink } from './sink.ts';
import type { Spool } from '../spool/spool.ts';
import type { Tally } from './tally.ts';

/**
 * Longest wait of a record for others, and so the most that a killed process loses while the sink
 * is well.
 */
const FLUSH_MS = 1000;
const FLUSH_BYTES = 1024 * 1024;
/**
 * Half of what the host admits. Beyond it new records go to disk, where there is a folder for them.
 */
const SPILL_AT_RECORDS = 25_000;
const SPILL_AT_BYTES = 32 * 1024 * 1024;
/** Wait for a call that was aborted. */
const ABORT_MS = 500;

interface Parts {
  readonly sink: Sink;
  /** Undefined where the sink has no files. */
  readonly layout: Layout | undefined;
  readonly spool: Spool | undefined;
  readonly tally: Tally;
  readonly retry: Retry;
}

/**
 * Delivers blocks in batches, one at a time. Keeps blocks that cannot be delivered in memory, or on
 * disk: README.md, "States of a block".
 */
export class Writer {
  readonly #parts: Parts;
  readonly #pending: Pending;
  readonly #stop = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #current: Batch | undefined;
  #closing = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#pending = new Pending(parts.layout);
    this.#wake();
  }

  add(block: Block): void {
    const full = this.#pending.records >= SPILL_AT_RECORDS || this.#pending.bytes >= SPILL_AT_BYTES;
    // While the sink fails, disk is the safer place.
    if ((full || this.#parts.retry.failing) && this.#spill([block]).length === 0) return;
    if (this.#pending.add(block) >= FLUSH_BYTES) this.#wake();
    else if (this.#timer === undefined && this.#running === undefined) this.#schedule();
  }

  /**
   * Delivers the rest within the limit. Then, or at once where the sink fails and there is a disk,
   * spills it, else drops it.
   */
  async close(timeoutMs: number): Promise<void> {
    this.#closing = true;
    this.#parts.retry.hurry();
    this.#wake();
    await Promise.race([this.#running, delay(timeoutMs, undefined, { ref: false })]);
    this.#stop.abort();
    clearTimeout(this.#timer);
    await Promise.race([this.#running, delay(ABORT_MS, undefined, { ref: false })]);
    const left = [...(this.#current?.blocks ?? []), ...this.#pending.takeAll()];
    this.#parts.tally.settle(this.#spill(left), 'dropped', 'flush_timeout');
    await Promise.race([this.#parts.sink.close(), delay(ABORT_MS, undefined, { ref: false })]);
    this.#parts.spool?.close();
  }

  #wake(): void {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
      this.#schedule();
    });
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const due = this.#stop.signal.aborted ? undefined : this.#pending.dueIn(performance.now(), FLUSH_MS);
    if (due === undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#wake();
    }, due);
  }

  async #run(): Promise<void> {
    // Blocks of the same turn belong to the same batch.
    await Promise.resolve();
    while (!this.#stop.signal.aborted) {
      const batch = this.#pending.take(performance.now(), this.#closing ? 0 : FLUSH_MS, FLUSH_BYTES);
      if (batch !== undefined) {
        this.#current = batch;
        if (!(await this.#deliver(batch))) return;
        this.#current = undefined;
      } else if (!(await this.#replay())) return;
    }
  }

  /**
   * Delivers a chunk from disk. Answers false where there is none, or it cannot be delivered now.
   */
  async #replay(): Promise<boolean> {
    const { spool, layout } = this.#parts;
    const next = spool?.next();
    if (spool === undefined || next === undefined) return false;
    this.#parts.tally.damaged(next.chunk.damaged);
    const pending = new Pending(layout);
    for (const block of next.chunk.blocks) pending.add(block);
    for (let batch = pending.take(0, 0, 0); batch !== undefined; batch = pending.take(0, 0, 0)) {
      if (await this.#deliver(batch)) continue;
      // Delivered blocks must not be delivered again, so that the rest becomes a segment of its
      // own.
      const rest = [...batch.blocks, ...pending.takeAll()].filter(({ records }) => records > 0);
      const some = countOf(rest) < countOf(next.chunk.blocks);
      if (some && rest.every((block) => spool.add(block) === 'spilled')) spool.done(next);
      return false;
    }
    spool.done(next);
    return true;
  }

  /** Tries until the batch is delivered or refused. Answers false where the server stops before. */
  async #deliver(batch: Batch): Promise<boolean> {
    const { sink, tally, retry } = this.#parts;
    while (!this.#stop.signal.aborted) {
      const before = [...batch.blocks];
      const began = performance.now();
      try {
        await sink.write(batch, this.#stop.signal);
        tally.settle(before, 'sent');
        tally.flushed((performance.now() - began) / 1000);
        batch.blocks.length = 0;
        retry.succeeded();
        return true;
      } catch (thrown) {
        const error = thrown instanceof SinkError ? thrown : new SinkError('unknown', String(thrown), { cause: thrown });
        tally.failed(error.code);
        this.#settleSent(before, batch, error.rejected);
        if (error.retriable) {
          if (this.#stop.signal.aborted || !(await this.#pause(error))) return false;
        } else {
          this.#refused(batch, error);
          if (batch.blocks.length === 0) return true;
        }
      }
    }
    return false;
  }

  /** Waits before the next try. Answers false where there will be none. */
  async #pause(error: SinkError): Promise<boolean> {
    const { retry, spool } = this.#parts;
    if (!retry.failing) for (const block of this.#failed(error)) this.#pending.add(block);
    else retry.failed(error);
    if (this.#closing && spool !== undefined) return false;
    await retry.wait(error.askedMs, this.#stop.signal);
    return true;
  }

  /**
   * The first failure after a success: spills all waiting blocks. Answers those that could not be
   * written.
   */
  #failed(error: SinkError): readonly Block[] {
    this.#parts.retry.failed(error);
    return this.#parts.spool === undefined ? [] : this.#spill(this.#pending.takeAll());
  }

  #settleSent(before: readonly Block[], { blocks }: Batch, rejected: readonly Block[] = []): void {
    if (before.length === blocks.length) return;
    const left = new Set([...blocks, ...rejected]);
    this.#parts.tally.settle(
      before.filter((block) => !left.has(block)),
      'sent',
    );
  }

  #refused(batch: Batch, error: SinkError): void {
    const { spool, tally, retry } = this.#parts;
    const blocks = error.rejected ?? batch.blocks.splice(0);
    retry.refused(error, countOf(blocks));
    for (const block of blocks) if (block.records > 0) tally.removed(spool?.bury(block) ?? 0);
    tally.settle(blocks, 'dropped', 'rejected');
  }

  /** Writes blocks to disk. Answers those that could not be written. */
  #spill(blocks: readonly Block[]): readonly Block[] {
    const { spool, tally } = this.#parts;
    if (spool === undefined) return blocks;
    const whole = blocks.filter(({ records }) => records > 0);
    const failed = new Set(whole.filter((block) => spool.add(block) !== 'spilled'));
    tally.settle(
      whole.filter((block) => !failed.has(block)),
      'spilled',
    );
    return [...failed];
  }
}

const countOf = (blocks: readonly Block[]): number => blocks.reduce((sum, { records }) => sum + records, 0);
