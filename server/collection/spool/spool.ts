import { readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { blockBytes, type Block } from '../encode/block.ts';
import { DeadLetters } from './dead-letters.ts';
import { makeFolder } from './make-folder.ts';
import { Segment, type Chunk } from './segment.ts';
import { isAbandoned, own, touch } from './spool-owner.ts';

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

/**
 * Lines on disk that wait for the sink: in this process's folder, and in those that earlier
 * processes left.
 */
export class Spool {
  readonly #root: string;
  readonly #folder: string;
  readonly #maxBytes: number;
  readonly #deadLetters: DeadLetters;
  readonly #report: (text: string) => void;
  readonly #heartbeat: NodeJS.Timeout;
  /** Oldest first; only the last one, if any, is written to. */
  #segments: Segment[] = [];
  #writing: Segment | undefined;
  /** Size of all segments and payloads. */
  #bytes = 0;
  #created = 0;
  #owned = false;
  #failedAt = -Infinity;
  #reported = false;

  /** @param report gets one line of text where the folder cannot be used */
  constructor(root: string, instance: string, report: (text: string) => void, limits = LIMITS) {
    this.#root = root;
    this.#folder = join(root, instance);
    this.#maxBytes = limits.bytes;
    this.#deadLetters = new DeadLetters(join(root, 'dead-letters'), instance, limits.deadLetterBytes);
    this.#report = report;
    this.#try(() => {
      this.#prepare();
      this.#adopt();
    });
    let beats = 0;
    this.#heartbeat = setInterval(() => {
      touch(this.#folder);
      if (++beats % ADOPT_EVERY === 0) this.#try(() => this.#adopt());
    }, HEARTBEAT_MS).unref();
  }

  get empty(): boolean {
    return this.#segments.every(({ bytes }) => bytes === 0);
  }

  /** Writes a block to disk. Never throws. */
  add(block: Block): Spilled {
    if (performance.now() - this.#failedAt < RETRY_MS) return 'spill_failed';
    if (this.#bytes + blockBytes(block) > this.#maxBytes) return 'spill_full';
    const done = this.#try(() => {
      this.#prepare();
      if (this.#writing === undefined || this.#writing.bytes > SEGMENT_BYTES) this.#begin();
      this.#bytes += this.#writing?.append(block, () => this.#name('payload')) ?? 0;
    });
    return done ? 'spilled' : 'spill_failed';
  }

  /**
   * Keeps a refused block for a person to look at. Answers the number of older records that were
   * removed for it. Never throws.
   */
  bury(block: Block): number {
    let removed = 0;
    this.#try(() => (removed = this.#deadLetters.add(block)));
    return removed;
  }

  /** The oldest lines. They stay on disk until `done`. Answers undefined where there are none. */
  next(): { readonly segment: Segment; readonly chunk: Chunk } | undefined {
    for (const segment of this.#segments) {
      if (segment === this.#writing) {
        if (segment.bytes === 0) return undefined;
        segment.close();
        this.#writing = undefined;
      }
      let chunk: Chunk | undefined;
      this.#try(() => (chunk = segment.read()));
      if (chunk !== undefined) return { segment, chunk };
      this.#remove(segment);
    }
    return undefined;
  }

  done({ segment, chunk }: { readonly segment: Segment; readonly chunk: Chunk }): void {
    if (this.#try(() => segment.delivered(chunk))) this.#bytes -= chunk.payloadBytes;
  }

  /**
   * Takes over folders of processes that are gone. The rename decides which of several processes
   * gets a folder.
   */
  #adopt(): void {
    for (const name of readdirSync(this.#root)) {
      const theirs = join(this.#root, name);
      if (theirs === this.#folder || !isAbandoned(theirs)) continue;
      const mine = join(this.#root, `${basename(this.#folder)}.from-${this.#created++}`);
      try {
        renameSync(theirs, mine);
        own(mine, process.pid);
      } catch {
        continue;
      }
      const files = readdirSync(mine).filter((file) => file.endsWith('.jsonl'));
      const found = files.toSorted().map((file) => new Segment(join(mine, file)));
      if (found.length === 0) rmSync(mine, { recursive: true, force: true });
      else this.#bytes += bytesIn(mine);
      this.#segments.unshift(...found);
    }
  }

  close(): void {
    clearInterval(this.#heartbeat);
    this.#writing?.close();
    if (this.empty) this.#try(() => rmSync(this.#folder, { recursive: true, force: true }));
  }

  #prepare(): void {
    makeFolder(this.#folder);
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
    this.#try(() => {
      segment.remove();
      const folder = dirname(segment.path);
      if (folder === this.#folder || this.#segments.some(({ path }) => dirname(path) === folder)) return;
      // The rest are payloads whose line was never written.
      this.#bytes -= bytesIn(folder);
      rmSync(folder, { recursive: true, force: true });
    });
  }

  /** True where the action succeeded. Reports the first failure. */
  #try(action: () => void): boolean {
    try {
      action();
      this.#failedAt = -Infinity;
      return true;
    } catch (thrown) {
      this.#failedAt = performance.now();
      if (!this.#reported)
        this.#report(`MDC_SPILL_DIR: ${this.#root} cannot be used: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
      this.#reported = true;
      return false;
    }
  }
}

/** Size of the segments and payloads in a folder. @throws errors of the file system */
function bytesIn(folder: string): number {
  const names = readdirSync(folder).filter((name) => name !== 'owner.json' && !name.endsWith('.offset'));
  return names.reduce((sum, name) => sum + (statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0), 0);
}
