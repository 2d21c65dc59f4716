import { rmdir, statfs, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { collectedFiles, type CollectedFile } from './layout-files.ts';

/** Files that were removed for newer ones. */
export interface Removed {
  readonly files: number;
  readonly bytes: number;
}

/** A file that is open here. */
interface Open {
  /** It is removed: nothing more is written to it. */
  abandon(): Promise<void>;
}

/** Parts of the limit. A file has at most one, and one more is freed at a time. */
const PARTS = 16;
/**
 * Another process may append to a file that changed so lately: its hour is not over. It goes last.
 */
const IN_USE_MS = 3_600_000;
/** Wait after a look that found nothing to remove. */
const FRUITLESS_MS = 60_000;
/** Room that stays free on the volume: a share of it, at most so many bytes. */
const FREE_SHARE = 0.05;
const FREE_BYTES = 100 * 1024 * 1024;

interface Limits {
  /** Absolute. */
  readonly root: string;
  /** Of all files of the layout below the folder, whichever process wrote them. */
  readonly maxBytes: number;
  /** A part of the names of all files that this process appends to. */
  readonly instance: string;
  readonly removed: (removed: Removed) => void;
}

/**
 * Keeps the folder of the sink `file` within its limit, and the volume from getting full: the
 * oldest files go first. Several processes may share the folder. What another one may be writing to
 * goes last: it notices, and begins a new file.
 */
export class FileRoom {
  readonly #limits: Limits;
  readonly #open = new Map<string, Open>();
  /** Bytes of all files at the last look; undefined before the first. */
  #bytes: number | undefined;
  /** Bytes that were written here since then. */
  #written = 0;
  /** The next look is no earlier: nothing could be removed. On the monotonic clock. */
  #notBefore = -Infinity;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** Most bytes of one file, so that there is always an older one to remove. */
  get fileBytes(): number {
    return Math.floor(this.#limits.maxBytes / PARTS);
  }

  opened(path: string, file: Open): void {
    this.#open.set(path, file);
  }

  closed(path: string): void {
    this.#open.delete(path);
  }

  /**
   * Removes files before so many bytes are written. Where too little can be removed, the write goes
   * on, and fails if the volume is full.
   * @param writing the file that they are written to
   */
  async make(bytes: number, writing: string): Promise<void> {
    const { root, maxBytes } = this.#limits;
    const lack = await lackOf(root, bytes);
    const { fileBytes } = this;
    const known = this.#bytes !== undefined && this.#written + bytes < fileBytes;
    const fits = (this.#bytes ?? 0) + this.#written + bytes <= maxBytes && lack <= 0;
    if (!known || (!fits && performance.now() >= this.#notBefore)) await this.#look(bytes, lack, writing);
    this.#written += bytes;
  }

  /** Looks at the whole folder, and removes the oldest files. */
  async #look(bytes: number, lack: number, writing: string): Promise<void> {
    const { root, maxBytes } = this.#limits;
    const files = await collectedFiles(root);
    const before = files.reduce((sum, file) => sum + file.bytes, 0);
    const needed = Math.max(before + bytes - maxBytes, lack);
    // One part more, so that not every write looks.
    const wanted = needed > 0 ? needed + this.fileBytes : 0;
    let freed = 0;
    let count = 0;
    for (const file of this.#inOrder(files.filter(({ path }) => path !== writing))) {
      if (freed >= (this.#isFree(file) ? wanted : needed)) break;
      if (!(await this.#remove(file.path))) continue;
      freed += file.bytes;
      count++;
    }
    this.#bytes = before - freed;
    this.#written = 0;
    if (freed < needed) this.#notBefore = performance.now() + FRUITLESS_MS;
    if (count > 0) this.#limits.removed({ files: count, bytes: freed });
  }

  /** The oldest first; after all others, those that another process may write to. */
  #inOrder(files: readonly CollectedFile[]): CollectedFile[] {
    return files.toSorted((one, other) => Number(this.#isFree(other)) - Number(this.#isFree(one)) || one.changed - other.changed);
  }

  /** True where no other process writes to it. */
  #isFree({ path, changed, whole }: CollectedFile): boolean {
    return whole || this.#open.has(path) || path.includes(this.#limits.instance) || Date.now() - changed > IN_USE_MS;
  }

  async #remove(path: string): Promise<boolean> {
    try {
      await unlink(path);
    } catch {
      return false;
    }
    await this.#open.get(path)?.abandon();
    this.#open.delete(path);
    try {
      for (let folder = dirname(path); folder !== this.#limits.root; folder = dirname(folder)) await rmdir(folder);
    } catch {
      // A folder that is not empty ends the way up.
    }
    return true;
  }
}

/** Bytes that the volume lacks, if so many more are written. */
async function lackOf(root: string, bytes: number): Promise<number> {
  try {
    const { bavail, blocks, bsize } = await statfs(root);
    return bytes + Math.min(FREE_BYTES, blocks * bsize * FREE_SHARE) - bavail * bsize;
  } catch {
    // There is no such folder yet.
    return 0;
  }
}
