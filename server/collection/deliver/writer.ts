import type { Overflow } from '../counts.ts';
import type { Layout } from '../encode/layout.ts';
import { copyAlone, memoryOf, type Block } from '../encode/block.ts';
import { within } from '../../guards/within.ts';
import { LateBatches } from './late-batches.ts';
import { Pending, takeOut } from './pending.ts';
import type { Retry } from './retry.ts';
import type { Batch, Sink, SinkError } from './sink.ts';
import { ABORT_MS, SinkCalls } from './sink-calls.ts';
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
/** Memory of blocks that wait. Beyond it, those that find no room on disk are dropped. */
const MOST_BYTES = 64 * 1024 * 1024;
/** Blocks come back from disk while less than this waits in memory. */
const REPLAY_BELOW_BYTES = 16 * 1024 * 1024;
/** Wait of a payload that found no room. */
const NO_ROOM_MS = 5000;
/**
 * Memory of such payloads. Beyond it they go to disk, or are dropped: they must not hold up others.
 */
const MOST_POSTPONED_BYTES = 16 * 1024 * 1024;

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
  readonly #calls: SinkCalls;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #current: Batch | undefined;
  readonly #late = new LateBatches();
  #closing = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#pending = new Pending(parts.layout);
    this.#calls = new SinkCalls(parts.sink);
    this.#wake();
  }

  add(block: Block): void {
    const { tally, retry } = this.#parts;
    tally.took(block);
    const full = this.#pending.records >= SPILL_AT_RECORDS || this.#pending.bytes >= SPILL_AT_BYTES;
    // While the sink fails, disk is the safer place.
    const [left] = full || retry.failing ? this.#spill([block]) : [block];
    if (left === undefined) return;
    if (this.#pending.bytes + this.#pending.postponedBytes + memoryOf(left) > MOST_BYTES)
      return tally.settle([left], 'dropped', tally.overflow);
    if (this.#pending.add(left) >= FLUSH_BYTES) this.#wake();
    else if (this.#timer === undefined && this.#running === undefined) this.#schedule();
  }

  /**
   * Delivers the rest within the limit. Then, or at once where the sink fails and there is a disk,
   * spills it, else drops it.
   */
  async close(timeoutMs: number): Promise<void> {
    const { retry, spool, tally, sink } = this.#parts;
    this.#closing = true;
    this.#calls.endIn(timeoutMs);
    retry.hurry();
    this.#wake();
    await within(timeoutMs, this.#running);
    this.#calls.stop();
    clearTimeout(this.#timer);
    await within(ABORT_MS, this.#running);
    const left = [this.#current, ...this.#late.all].flatMap((batch) => batch?.blocks ?? []);
    const unsaved = this.#spill([...left, ...this.#pending.takeAll()]);
    tally.settle(unsaved, 'dropped', spool === undefined ? 'flush_timeout' : tally.overflow);
    await within(ABORT_MS, sink.close());
    spool?.close();
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
    const due = this.#calls.stopped.aborted ? undefined : this.#pending.dueIn(performance.now(), FLUSH_MS);
    if (due === undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#wake();
    }, due);
  }

  async #run(): Promise<void> {
    // Blocks of the same turn belong to the same batch.
    await Promise.resolve();
    while (!this.#calls.stopped.aborted) {
      this.#current = this.#next();
      if (this.#current !== undefined) {
        if (!(await this.#deliver(this.#current))) return;
        this.#current = undefined;
      } else if (!(await this.#replay())) return;
    }
  }

  #next(): Batch | undefined {
    if (!this.#closing) return this.#pending.take(performance.now(), FLUSH_MS, FLUSH_BYTES);
    return this.#late.next(() => this.#pending.take(performance.now(), 0, FLUSH_BYTES));
  }

  /**
   * Delivers a chunk from disk. Answers false where there is none, or it cannot be delivered now.
   */
  async #replay(): Promise<boolean> {
    const { spool, layout, tally } = this.#parts;
    const { bytes, postponedBytes } = this.#pending;
    const next = bytes < REPLAY_BELOW_BYTES && postponedBytes < MOST_POSTPONED_BYTES ? spool?.next() : undefined;
    // What was delivered has gone from disk meanwhile.
    tally.changed();
    if (spool === undefined || next === undefined) return false;
    const pending = new Pending(layout);
    for (const block of next.chunk.blocks) {
      tally.took(block);
      pending.add(block);
    }
    for (let batch = pending.take(0, 0, 0); batch !== undefined; batch = pending.take(0, 0, 0)) {
      if (await this.#deliver(batch)) continue;
      // Delivered blocks must not be delivered again, so that the rest becomes a segment of its
      // own.
      const rest = [...batch.blocks, ...pending.takeAll()].filter(({ records }) => records > 0);
      if (countOf(rest) < countOf(next.chunk.blocks)) spool.putBack(next, rest);
      return false;
    }
    spool.done(next);
    return true;
  }

  /** Tries until the batch is delivered or refused. Answers false where the server stops before. */
  async #deliver(batch: Batch): Promise<boolean> {
    const { tally, retry } = this.#parts;
    while (!this.#calls.stopped.aborted) {
      const before = [...batch.blocks];
      const began = performance.now();
      try {
        await this.#calls.write(batch);
        tally.settle(before, 'sent');
        tally.flushed((performance.now() - began) / 1000);
        batch.blocks.length = 0;
        retry.succeeded();
        return true;
      } catch (thrown) {
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `SinkCalls` throws nothing else
        const error = thrown as SinkError;
        tally.failed(error.code);
        this.#settleSent(before, batch, error.rejected);
        if (error.apart !== undefined) this.#postpone(batch, error.apart, error);
        else if (!error.retriable) this.#refused(batch, error);
        else if (!(await this.#pause(batch, error))) return false;
        if (batch.blocks.length === 0 || this.#late.has(batch)) return true;
      }
    }
    return false;
  }

  /** Waits before the next try. Answers false where there will be none. */
  async #pause(batch: Batch, error: SinkError): Promise<boolean> {
    const { retry, spool } = this.#parts;
    if (this.#calls.stopped.aborted) return false;
    const isFirst = !retry.failing;
    retry.failed(error);
    // After a success, all that waits goes to disk, as far as there is room.
    if (isFirst && spool !== undefined) for (const block of this.#spill(this.#pending.takeAll())) this.#pending.add(block);
    if (this.#closing && spool !== undefined) return false;
    if (error.code === 'timeout') this.#late.add(batch);
    else await retry.wait(error.askedMs, this.#calls.stopped);
    return true;
  }

  /** Lets the other blocks of a batch go on without one whose payload finds no room. */
  #postpone(batch: Batch, block: Block, error: SinkError): void {
    const { tally, retry } = this.#parts;
    takeOut(batch, block);
    retry.noRoom(error);
    if (block.counted && this.#pending.postponedBytes >= MOST_POSTPONED_BYTES)
      return tally.settle(this.#spill([block]), 'dropped', tally.overflow);
    if (!block.counted) tally.recalled(block);
    this.#pending.postpone({ ...block, counted: true }, performance.now() + NO_ROOM_MS);
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
    let overflow: Overflow = 'queue_full';
    const [written, failed]: [Block[], Block[]] = [[], []];
    for (const block of blocks) {
      if (block.records === 0) continue;
      const outcome = spool.add(block);
      if (outcome === 'spilled') written.push(block);
      else {
        overflow = outcome;
        failed.push(copyAlone(block));
      }
    }
    tally.settle(written, 'spilled');
    if (blocks.length > 0) tally.overflow = overflow;
    return failed;
  }
}

const countOf = (blocks: readonly Block[]): number => blocks.reduce((sum, { records }) => sum + records, 0);
