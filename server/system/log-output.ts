import { constants, fstatSync, openSync, write, writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { LineQueue, PIECE, type Portion } from './line-queue.ts';

/**
 * Characters of log lines that may wait for a stalled reader. Lines beyond them are lost, and
 * counted.
 */
const LONGEST_BACKLOG = 16 * 1024 * 1024;
/** The most bytes in one turn of the event loop. */
const TURN = 4 * PIECE;
/**
 * Waits between retries: short for a full pipe, then doubling; long for a full disk or a closed
 * pipe.
 */
const FIRST_RETRY_MS = 1;
const LAST_RETRY_MS = 100;
const BROKEN_RETRY_MS = 1000;
const FLUSH_RETRY_MS = 5;

/**
 * Writes lines to a file descriptor that may stall, be full or be closed at any time. `write` never
 * waits and never fails: lines wait up to a bound. Pipes, sockets and terminals do not block: the
 * event loop writes them, so that no thread hangs in them at the end of the process. A thread of
 * libuv writes files.
 */
export class LogOutput {
  readonly #fd: number;
  readonly #blocks: boolean;
  readonly #reportLost: (lines: number) => void;
  readonly #queue = new LineQueue();
  #busy = false;
  /** A thread is writing the piece. */
  #underWay = false;
  /** Retracted while a thread was writing. */
  #retracted: Portion[] = [];
  #retryMs = FIRST_RETRY_MS;
  #unreported = 0;
  /** Lines that are lost. */
  lost = 0;

  /**
   * @param reportLost called with the number of lost lines, once there is room for a line about
   * them
   */
  constructor(fd: number, reportLost: (lines: number) => void) {
    const { fd: opened, blocks } = openOutput(fd);
    this.#fd = opened;
    this.#blocks = blocks;
    this.#reportLost = reportLost;
  }

  /** True while `write` would lose a line. */
  get full(): boolean {
    return this.#queue.waiting >= LONGEST_BACKLOG;
  }

  /** @param text whole lines, which are written or lost together, and count as one */
  write(text: string): void {
    if (this.#queue.waiting + text.length > LONGEST_BACKLOG) return this.lose(1);
    return this.#add(text);
  }

  /**
   * Writes lines of a source that must know how many are written. They never count as lost: the
   * source waits, and bounds what it gives.
   * @param text whole lines
   * @param settled called once, with the number of lines that are written
   * @returns a function that takes back the lines that are not begun
   */
  deliver(text: string, settled: (lines: number) => void): () => void {
    const portion: Portion = { text, settled };
    this.#add(portion);
    return () => {
      if (this.#underWay) this.#retracted.push(portion);
      else this.#queue.retract(portion);
    };
  }

  /** Writes a line beyond the bound: the last one of the process. */
  writeLast(line: string): void {
    this.#add(line);
  }

  /** Counts lines that are not written. */
  lose(lines: number): void {
    this.lost += lines;
    this.#unreported += lines;
  }

  /**
   * Writes waiting lines within the limit, and loses the rest. It blocks: for the end of the
   * process only. Returns the number of lost lines.
   */
  flush(limitMs: number): number {
    const ends = performance.now() + limitMs;
    // A thread has this piece, and the process does not end before that thread.
    if (this.#underWay) this.#queue.forgetPiece();
    for (let piece = this.#queue.next(); piece !== undefined; piece = this.#queue.next()) {
      try {
        this.#wrote(writeSync(this.#fd, piece));
      } catch (error) {
        if (!isFull(error) || performance.now() >= ends) break;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, FLUSH_RETRY_MS);
      }
    }
    const left = this.#queue.clear();
    this.lose(left);
    return left;
  }

  #add(entry: string | Portion): void {
    this.#queue.add(entry);
    if (this.#busy) return;
    this.#busy = true;
    setImmediate(() => this.#go());
  }

  #go(): void {
    for (let left = TURN; left > 0;) {
      const piece = this.#queue.next();
      if (piece === undefined) {
        this.#busy = false;
        return;
      }
      if (this.#blocks) return this.#writeInThread(piece);
      try {
        left -= this.#wrote(writeSync(this.#fd, piece));
      } catch (error) {
        return this.#later(error);
      }
    }
    setImmediate(() => this.#go());
  }

  #writeInThread(piece: Buffer): void {
    this.#underWay = true;
    write(this.#fd, piece, (error, bytes) => {
      this.#underWay = false;
      if (error === null) this.#wrote(bytes);
      for (const portion of this.#retracted.splice(0)) this.#queue.retract(portion);
      return error === null ? this.#go() : this.#later(error);
    });
  }

  #wrote(bytes: number): number {
    this.#retryMs = FIRST_RETRY_MS;
    this.#queue.wrote(bytes);
    if (this.#unreported > 0 && this.#queue.waiting < LONGEST_BACKLOG / 2) {
      const lines = this.#unreported;
      this.#unreported = 0;
      this.#reportLost(lines);
    }
    return bytes;
  }

  #later(error: unknown): void {
    this.#retryMs = isFull(error) ? Math.min(2 * this.#retryMs, LAST_RETRY_MS) : BROKEN_RETRY_MS;
    setTimeout(() => this.#go(), this.#retryMs).unref();
  }
}

function isFull(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'EAGAIN' || code === 'EBUSY' || code === 'EINTR';
}

/**
 * The descriptor to write to, and whether a write may block. Node makes pipes and sockets of stdout
 * non-blocking, but no terminal.
 */
function openOutput(fd: number): { readonly fd: number; readonly blocks: boolean } {
  try {
    const stat = fstatSync(fd);
    if (stat.isFIFO() || stat.isSocket()) return { fd, blocks: false };
    // A descriptor of its own, because the shell shares the other.
    if (isatty(fd))
      return { fd: openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY), blocks: false };
  } catch {
    // Closed, or a terminal of another user.
  }
  return { fd, blocks: true };
}
