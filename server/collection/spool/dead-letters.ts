import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Block } from '../encode/block.ts';
import { makeFolder, OWN_ONLY } from '../../system/make-folder.ts';
import { countRecords, Segment } from './segment.ts';

/** Files that share the limit, so that only a part of the letters is removed at a time. */
const FILES = 16;

/**
 * Records that the sink refused for good. All processes of a volume share one folder. Beyond its
 * limit the oldest files are removed.
 */
export class DeadLetters {
  readonly #folder: string;
  readonly #instance: string;
  readonly #maxBytes: number;
  #files = 0;
  #payloads = 0;
  /** Size of all files; undefined before the first look. */
  #bytes: number | undefined;

  constructor(folder: string, instance: string, maxBytes: number) {
    this.#folder = folder;
    this.#instance = instance;
    this.#maxBytes = maxBytes;
  }

  /**
   * Adds a block. Answers the number of older records that were removed for it.
   * @throws errors of the file system
   */
  add(block: Block): number {
    makeFolder(this.#folder, OWN_ONLY);
    let file = this.#file();
    if (file.bytes > this.#maxBytes / FILES) {
      this.#files++;
      file = this.#file();
    }
    try {
      const bytes = file.append(block, () => `${this.#instance}-payload${++this.#payloads}`);
      if (this.#bytes !== undefined) this.#bytes += bytes;
    } finally {
      file.close();
    }
    return this.#bytes === undefined || this.#bytes > this.#maxBytes ? this.#makeRoom() : 0;
  }

  #file(): Segment {
    return new Segment(join(this.#folder, `${this.#instance}${this.#files === 0 ? '' : `-${this.#files}`}.jsonl`));
  }

  #makeRoom(): number {
    const all = readdirSync(this.#folder).map((name) => ({ name, stat: statSync(join(this.#folder, name)) }));
    let bytes = all.reduce((sum, { stat }) => sum + stat.size, 0);
    let removed = 0;
    for (const { name, stat } of all.toSorted((one, other) => one.stat.mtimeMs - other.stat.mtimeMs)) {
      if (bytes <= this.#maxBytes) break;
      const path = join(this.#folder, name);
      if (name.endsWith('.jsonl')) removed += countRecords(path);
      rmSync(path, { force: true });
      bytes -= stat.size;
    }
    this.#bytes = bytes;
    return removed;
  }
}
