import { memoryOf, splitLines, type Block } from '../encode/block.ts';
import type { Layout, Stream } from '../encode/layout.ts';
import type { Batch } from './sink.ts';

/**
 * An append blob takes at most 4 MiB in one append. Payloads count, because a batch that fails
 * stays in memory.
 */
const MAX_BATCH_BYTES = 4 * 1024 * 1024;

/** A block, or the part of it that belongs to one stream. */
interface Part {
  /** Without records and payloads in all parts but the first, so that they count once. */
  readonly block: Block;
  /** Bytes to append. */
  readonly data: Buffer;
  /** With payloads. */
  readonly bytes: number;
}

/** Parts that wait for the same file. */
interface Waiting {
  readonly stream: Stream | undefined;
  parts: Part[];
  /** With payloads. */
  bytes: number;
  /** Arrival of the first part, on the monotonic clock. */
  readonly since: number;
}

/** Blocks in memory that wait for their delivery, by file. */
export class Pending {
  readonly #layout: Layout | undefined;
  readonly #streams = new Map<string, Waiting>();
  /** Blocks that wait for a time of their own, on the monotonic clock. */
  #postponed: { readonly block: Block; readonly due: number }[] = [];
  records = 0;
  /** Bytes of memory, without blocks that are postponed. */
  bytes = 0;
  /** Bytes of memory of blocks that are postponed. */
  postponedBytes = 0;

  /** @param layout undefined where the sink has no files */
  constructor(layout: Layout | undefined) {
    this.#layout = layout;
  }

  /** Adds a block. Answers how many bytes wait for its file now. */
  add(block: Block): number {
    this.records += block.records;
    this.bytes += memoryOf(block);
    if (this.#layout === undefined) return this.#put('', undefined, partOf(block, block.data));
    let most = 0;
    for (const [index, { key, stream, data }] of this.#layout.place(block).entries()) {
      const part = index === 0 ? block : { ...block, data: Buffer.alloc(0), records: 0, payloads: [] };
      most = Math.max(most, this.#put(key, stream, partOf(part, data)));
    }
    return most;
  }

  /** Adds a block that is not tried again before `due`, while others are. */
  postpone(block: Block, due: number): void {
    this.postponedBytes += memoryOf(block);
    this.#postponed.push({ block, due });
  }

  /**
   * The batch that has waited longest, of those that have waited so long or have so many bytes.
   * Answers undefined where there is none.
   */
  take(now: number, afterMs: number, fromBytes: number): Batch | undefined {
    this.#readmit(now);
    let best: [string, Waiting] | undefined;
    for (const entry of this.#streams) {
      const [, { since, bytes }] = entry;
      if (now - since < afterMs && bytes < fromBytes) continue;
      if (best === undefined || since < best[1].since) best = entry;
    }
    return best === undefined ? undefined : this.#cut(...best);
  }

  /** Removes and answers all blocks. */
  takeAll(): Block[] {
    const parts = [...this.#streams.values()].flatMap((waiting) => waiting.parts);
    const blocks = [...parts, ...this.#postponed].map(({ block }) => block).filter(({ records }) => records > 0);
    this.#streams.clear();
    this.#postponed = [];
    this.records = 0;
    this.bytes = 0;
    this.postponedBytes = 0;
    return blocks;
  }

  /** Milliseconds until the oldest part has waited for so long; undefined where nothing waits. */
  dueIn(now: number, afterMs: number): number | undefined {
    let oldest = Infinity;
    for (const { since } of this.#streams.values()) oldest = Math.min(oldest, since);
    for (const { due } of this.#postponed) oldest = Math.min(oldest, due - afterMs);
    return oldest === Infinity ? undefined : Math.max(0, oldest + afterMs - now);
  }

  /** Puts back what is due. It has waited long enough, and is taken next. */
  #readmit(now: number): void {
    const due = this.#postponed.filter((each) => each.due <= now);
    if (due.length === 0) return;
    this.#postponed = this.#postponed.filter((each) => each.due > now);
    for (const { block } of due) {
      this.postponedBytes -= memoryOf(block);
      this.add(block);
    }
  }

  #put(key: string, stream: Stream | undefined, part: Part): number {
    let waiting = this.#streams.get(key);
    if (waiting === undefined) this.#streams.set(key, (waiting = { stream, parts: [], bytes: 0, since: performance.now() }));
    waiting.parts.push(part);
    waiting.bytes += part.bytes;
    return waiting.bytes;
  }

  #cut(key: string, waiting: Waiting): Batch {
    let count = 0;
    let bytes = 0;
    for (const part of waiting.parts) {
      if (count > 0 && bytes + part.bytes > MAX_BATCH_BYTES) break;
      bytes += part.bytes;
      count++;
    }
    const parts = waiting.parts.splice(0, count);
    if (waiting.parts.length === 0) this.#streams.delete(key);
    waiting.bytes -= bytes;
    const blocks = parts.map(({ block }) => block);
    for (const block of blocks) {
      this.records -= block.records;
      this.bytes -= memoryOf(block);
    }
    if (waiting.stream === undefined) return { stream: undefined, pieces: [], blocks: blocks.flatMap(splitLines) };
    return { stream: waiting.stream, pieces: joinViews(parts.map(({ data }) => data)), blocks };
  }
}

const partOf = (block: Block, data: Buffer): Part => ({
  block,
  data,
  bytes: block.payloads.reduce((sum, { body }) => sum + body.length, data.length),
});

/** Takes a block of lines with a payload out of a batch for files. */
export function takeOut({ pieces, blocks }: Batch, block: Block): void {
  blocks.splice(blocks.indexOf(block), 1);
  pieces.splice(0, pieces.length, ...joinViews(blocks.map(({ data }) => data)));
}

/** Joins views that follow each other in the same memory. */
function joinViews(views: readonly Buffer[]): Buffer[] {
  const joined: Buffer[] = [];
  for (const view of views) {
    const last = joined.at(-1);
    if (last !== undefined && last.buffer === view.buffer && last.byteOffset + last.length === view.byteOffset)
      joined[joined.length - 1] = Buffer.from(last.buffer, last.byteOffset, last.length + view.length);
    else joined.push(view);
  }
  return joined;
}
