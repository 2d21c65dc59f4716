import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { blockBytes, type Block } from '../encode/block.ts';
import { DeadLetters } from './dead-letters.ts';
import { makeFolder, OWN_ONLY } from '../../system/make-folder.ts';
import { addRecords, Segment, type Chunk, type Records } from './segment.ts';
import { own, touch } from './spool-owner.ts';
import { takeOver } from './take-over.ts';

const SEGMENT_BYTES = 16 * 1024 * 1024;
/** Wait before a folder that could not be written is tried again. */
const RETRY_MS = 5000;
const HEARTBEAT_MS = 5000;
/**
 * Heartbeats between two looks for folders of processes that are gone. Their lines are delivered
 * after the next flush.
 */
const ADOPT_EVERY = 12;

/** Limits on disk, payloads included. */
export interface SpoolLimits {
  readonly bytes: number;
  readonly deadLetterBytes: number;
}

const LIMITS: SpoolLimits = { bytes: 512 * 1024 * 1024, deadLetterBytes: 64 * 1024 * 1024 };

export type Spilled = 'spilled' | 'spill_failed' | 'spill_full';

/** What a spool tells its owner. */
export interface SpoolEvents {
  /** Gets one line of text where the folder cannot be used. */
  report(text: string): void;
  /** Records of a process that is gone are this one's from now on. */
  adopted(records: Records): void;
  /** Records that were on disk cannot be read, and are gone. */
  damaged(records: Records): void;
}

/** Errors after which less data may find room. */
const NO_ROOM = new Set<unknown>(['ENOSPC', 'EDQUOT', 'EFBIG']);

/**
 * Lines on disk that wait for the sink: in this process's folder, and in those that earlier
 * processes left.
 */
export class Spool {
  readonly #root: string;
  readonly #folder: string;
  readonly #limits: SpoolLimits;
  readonly #deadLetters: DeadLetters;
  readonly #events: SpoolEvents;
  /** Records that earlier processes had left at the start. */
  readonly found: Records = new Map();
  readonly #heartbeat: NodeJS.Timeout;
  /** Oldest first; only the last one, if any, is written to. */
  #segments: Segment[] = [];
  #writing: Segment | undefined;
  /** Size of all segments and payloads. */
  #bytes = 0;
  #created = 0;
  #owned = false;
  #failedAt = -Infinity;
  /** Size of the smallest block that did not find room then; 0: nothing can be written. */
  #failedBytes = 0;
  #reported = false;

  constructor(root: string, instance: string, events: SpoolEvents, limits = LIMITS) {
    this.#root = root;
    this.#folder = join(root, instance);
    this.#limits = limits;
    this.#deadLetters = new DeadLetters(join(root, 'dead-letters'), instance, limits.deadLetterBytes);
    this.#events = events;
    this.#try(() => {
      this.#prepare();
      this.#adopt(this.found);
    });
    let beats = 0;
    this.#heartbeat = setInterval(() => {
      touch(this.#folder);
      if (++beats % ADOPT_EVERY === 0) this.#try(() => this.#adoptLater());
    }, HEARTBEAT_MS).unref();
  }

  get empty(): boolean {
    return this.#segments.every(({ bytes }) => bytes === 0);
  }

  /** Size of what waits on disk, payloads included. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Records that wait on disk, by collection. */
  get records(): Records {
    const sums: Records = new Map();
    for (const { records } of this.#segments) for (const [collection, count] of records) addRecords(sums, collection, count);
    return sums;
  }

  /** True unless the folder could not be written lately. */
  get usable(): boolean {
    return this.#owned && performance.now() - this.#failedAt >= RETRY_MS;
  }

  /** Writes a block to disk. Never throws. */
  add(block: Block): Spilled {
    return this.#add(block, this.#limits.bytes);
  }

  /**
   * Lines that were taken out are delivered, but for a rest. It may exceed the limit, because what
   * was taken out goes for it.
   */
  putBack(taken: { readonly segment: Segment; readonly chunk: Chunk }, rest: readonly Block[]): void {
    if (rest.every((block) => this.#add(block, Infinity) === 'spilled')) this.done(taken);
  }

  #add(block: Block, limit: number): Spilled {
    const bytes = blockBytes(block);
    const waits = performance.now() - this.#failedAt < RETRY_MS;
    if (waits && bytes >= this.#failedBytes) return 'spill_failed';
    if (this.#bytes + bytes > limit) return 'spill_full';
    try {
      this.#prepare();
      if (this.#writing === undefined || this.#writing.bytes > SEGMENT_BYTES) this.#begin();
      this.#bytes += this.#writing?.append(block, () => this.#name('payload')) ?? 0;
      return 'spilled';
    } catch (thrown) {
      // A record that finds no room must not hold up those that do.
      this.#failedBytes = NO_ROOM.has(codeOf(thrown)) ? bytes : 0;
      this.#failed(thrown);
      return 'spill_failed';
    }
  }

  /**
   * Keeps a refused block for a person to look at. Answers the number of older records that were
   * removed for it. Never throws.
   */
  bury(block: Block): number {
    try {
      return this.#deadLetters.add(block);
    } catch (thrown) {
      this.#tell(thrown);
      return 0;
    }
  }

  /**
   * The oldest lines that can be read now. They stay on disk until `done`. Answers undefined where
   * there are none.
   */
  next(): { readonly segment: Segment; readonly chunk: Chunk } | undefined {
    for (const segment of this.#segments) {
      if (segment === this.#writing) {
        if (segment.bytes === 0) return undefined;
        segment.close();
        this.#writing = undefined;
      }
      let chunk: Chunk | undefined;
      const read = this.#try(() => (chunk = segment.read()));
      if (chunk !== undefined) return { segment, chunk };
      if (read || !existsSync(segment.path)) this.#remove(segment);
    }
    return undefined;
  }

  /** Lines that were taken out are delivered, or refused. */
  done({ segment, chunk }: { readonly segment: Segment; readonly chunk: Chunk }): void {
    this.#bytes -= chunk.payloadBytes;
    this.#try(() => segment.delivered(chunk));
  }

  /**
   * Takes over what processes that are gone have left.
   * @param records gets what is there
   */
  #adopt(records: Records): void {
    const nextName = (): string => `${basename(this.#folder)}.from-${this.#created++}`;
    for (const { folder, segments } of takeOver(this.#root, this.#folder, nextName, (thrown) => this.#tell(thrown))) {
      for (const segment of segments) for (const [collection, count] of segment.records) addRecords(records, collection, count);
      this.#bytes += bytesIn(folder);
      this.#segments.unshift(...segments);
    }
  }

  #adoptLater(): void {
    const records: Records = new Map();
    this.#adopt(records);
    if (records.size > 0) this.#events.adopted(records);
  }

  close(): void {
    clearInterval(this.#heartbeat);
    this.#writing?.close();
    if (this.empty) this.#try(() => rmSync(this.#folder, { recursive: true, force: true }));
  }

  #prepare(): void {
    makeFolder(this.#folder, OWN_ONLY);
    if (this.#owned) return;
    own(this.#folder, process.pid);
    this.#owned = true;
  }

  #begin(): void {
    this.#writing?.close();
    const segment = new Segment(join(this.#folder, `${this.#name('')}.jsonl`));
    this.#segments.push(segment);
    this.#writing = segment;
  }

  #name(prefix: string): string {
    return prefix + String(++this.#created).padStart(6, '0');
  }

  #remove(segment: Segment): void {
    this.#segments = this.#segments.filter((each) => each !== segment);
    this.#bytes -= segment.bytes;
    if (segment.records.size > 0) this.#events.damaged(segment.records);
    this.#try(() => {
      segment.remove();
      const folder = dirname(segment.path);
      if (folder === this.#folder || this.#segments.some(({ path }) => dirname(path) === folder)) return;
      // The rest are payloads whose line was never written.
      this.#bytes -= bytesIn(folder);
      rmSync(folder, { recursive: true, force: true });
    });
  }

  /** True where the action succeeded. After a failure nothing is written for a while. */
  #try(action: () => void): boolean {
    try {
      action();
      return true;
    } catch (thrown) {
      this.#failedBytes = 0;
      this.#failed(thrown);
      return false;
    }
  }

  #failed(thrown: unknown): void {
    this.#failedAt = performance.now();
    this.#tell(thrown);
  }

  #tell(thrown: unknown): void {
    if (!this.#reported)
      this.#events.report(`MDC_SPILL_DIR: ${this.#root} cannot be used: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
    this.#reported = true;
  }
}

/** Size of the segments and payloads in a folder. @throws errors of the file system */
function bytesIn(folder: string): number {
  const names = readdirSync(folder).filter((name) => name !== 'owner.json' && !name.endsWith('.offset'));
  return names.reduce((sum, name) => sum + (statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0), 0);
}

const codeOf = (thrown: unknown): unknown => (thrown instanceof Error && 'code' in thrown ? thrown.code : undefined);
