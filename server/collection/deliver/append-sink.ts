import type { Block, Payload } from '../encode/block.ts';
import type { Stream } from '../encode/layout.ts';
import { SinkError, type Batch, type Sink } from './sink.ts';

/** A file or an append blob that only this process appends to. */
export interface Appendable {
  /** Bytes that are certainly written. */
  readonly offset: number;
  /** Successful appends. */
  readonly blocks: number;
  /**
   * Appends the pieces at `offset`, so that a second call after a failure writes nothing twice.
   * @throws SinkError, or Taken where another process has written to it or deleted it
   */
  append(pieces: readonly Buffer[], signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/**
 * Another process appends to the same file, or has deleted it. Nothing was written that a reader
 * finds, and a new file must begin.
 */
export class Taken extends Error {
  override readonly name = 'Taken';
}

/** A place for files: a folder or a blob container. Names are relative to its root, with `/`. */
export interface Storage {
  readonly name: string;
  reference(name: string): string;
  /** Answers undefined where another process has a file of that name. @throws SinkError */
  create(name: string, signal: AbortSignal): Promise<Appendable | undefined>;
  /** Stores a whole file. Replaces one of that name. @throws SinkError */
  put(payload: Payload, signal: AbortSignal): Promise<void>;
}

export interface RollLimits {
  readonly blocks: number;
  readonly bytes: number;
}

/** An append blob takes at most 50,000 blocks. */
export const ROLL: RollLimits = { blocks: 40_000, bytes: 1024 ** 3 };

/** Errors after which less data may find room. */
const NO_ROOM = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** Files that are open at a time. Late rows of the v1 API may go to any day. */
const MOST_OPEN = 32;

/**
 * Appends batches to files that only this process writes. A new file begins with a stream (its
 * hour) and at each limit.
 */
export class AppendSink implements Sink {
  readonly appends = true;
  readonly largestInline = Infinity;
  readonly #storage: Storage;
  readonly #limits: RollLimits;
  /** By folder and name; the least recently used first. */
  readonly #open = new Map<string, Appendable>();
  /** Number of files so far, by folder and name. */
  readonly #begun = new Map<string, number>();

  constructor(storage: Storage, limits: RollLimits = ROLL) {
    this.#storage = storage;
    this.#limits = limits;
  }

  get name(): string {
    return this.#storage.name;
  }

  reference(name: string): string {
    return this.#storage.reference(name);
  }

  async write({ stream, pieces, blocks }: Batch, signal: AbortSignal): Promise<void> {
    if (stream === undefined) return;
    for (const block of blocks) if (block.payloads.length > 0) await this.#put(block, signal);
    const key = keyOf(stream);
    for (;;) {
      const file = await this.#openFile(key, stream, signal);
      try {
        const first = file.offset === 0 && stream.header !== '';
        await file.append(first ? [Buffer.from(stream.header), ...pieces] : pieces, signal);
        return;
      } catch (thrown) {
        if (!(thrown instanceof Taken)) throw thrown;
        this.#open.delete(key);
        await file.close();
      }
    }
  }

  async close(): Promise<void> {
    for (const file of this.#open.values()) await file.close();
    this.#open.clear();
  }

  async #put(block: Block, signal: AbortSignal): Promise<void> {
    try {
      for (const payload of block.payloads) await this.#storage.put(payload, signal);
    } catch (thrown) {
      if (!(thrown instanceof SinkError && NO_ROOM.has(thrown.code))) throw thrown;
      throw new SinkError(thrown.code, thrown.message, { apart: block, cause: thrown });
    }
  }

  async #openFile(key: string, stream: Stream, signal: AbortSignal): Promise<Appendable> {
    const open = this.#open.get(key);
    this.#open.delete(key);
    if (open !== undefined && open.blocks < this.#limits.blocks && open.offset < this.#limits.bytes) {
      this.#open.set(key, open);
      return open;
    }
    await open?.close();
    for (;;) {
      const begun = this.#begun.get(key) ?? 0;
      const file = await this.#storage.create(`${stream.folder}/${nameOf(stream, begun)}.${stream.extension}`, signal);
      this.#begun.set(key, begun + 1);
      if (file === undefined) continue;
      this.#open.set(key, file);
      for (const [oldest, old] of this.#open) {
        if (this.#open.size <= MOST_OPEN) break;
        this.#open.delete(oldest);
        await old.close();
      }
      return file;
    }
  }
}

/** Names the files of a stream. */
export const keyOf = (stream: Stream): string => `${stream.folder}/${stream.name}.${stream.extension} ${stream.header}`;

/** `name`, then `ownName`, `ownName-1`, ... where the file before is another process's, or full. */
function nameOf({ name, ownName }: Stream, begun: number): string {
  if (begun === 0) return name;
  const further = name === ownName ? begun : begun - 1;
  return further === 0 ? ownName : `${ownName}-${further}`;
}
