import { constants, fstatSync, openSync, write, writeSync } from 'node:fs';
import { isatty } from 'node:tty';

/**
 * Characters of log lines that may wait for a stalled reader. Lines beyond them are lost, and
 * counted.
 */
const LONGEST_BACKLOG = 16 * 1024 * 1024;
/** Bytes of one write, and the most bytes in one turn of the event loop. */
const PIECE = 64 * 1024;
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
  #lines: string[] = [];
  /** How many of the lines are taken already. */
  #taken = 0;
  #waiting = 0;
  /** The rest of the piece that is being written, and the number of its lines. */
  #piece: Buffer | undefined;
  #pieceLines = 0;
  #busy = false;
  /** A thread is writing the piece. */
  #underWay = false;
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
    return this.#waiting >= LONGEST_BACKLOG;
  }

  /** @param text whole lines */
  write(text: string): void {
    if (this.#waiting + text.length > LONGEST_BACKLOG) return this.lose(1);
    this.#lines.push(text);
    this.#waiting += text.length;
    if (this.#busy) return undefined;
    this.#busy = true;
    setImmediate(() => this.#go());
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
    if (this.#underWay) this.#piece = undefined;
    for (let piece = this.#next(); piece !== undefined; piece = this.#next()) {
      try {
        this.#wrote(writeSync(this.#fd, piece));
      } catch (error) {
        if (!isFull(error) || performance.now() >= ends) break;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, FLUSH_RETRY_MS);
      }
    }
    const left = this.#lines.length - this.#taken + (this.#piece === undefined ? 0 : this.#pieceLines);
    this.lose(left);
    this.#lines = [];
    this.#taken = 0;
    this.#piece = undefined;
    return left;
  }

  #go(): void {
    for (let left = TURN; left > 0;) {
      const piece = this.#next();
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
      if (error !== null) return this.#later(error);
      this.#wrote(bytes);
      return this.#go();
    });
  }

  /** The next bytes to write. */
  #next(): Buffer | undefined {
    if (this.#piece !== undefined) return this.#piece;
    const from = this.#taken;
    let length = 0;
    while (this.#taken < this.#lines.length && length < PIECE) length += this.#lines[this.#taken++]?.length ?? 0;
    if (this.#taken === from) return undefined;
    this.#piece = Buffer.from(this.#lines.slice(from, this.#taken).join(''));
    this.#pieceLines = this.#taken - from;
    this.#waiting -= length;
    if (this.#taken === this.#lines.length || this.#taken > 4096) {
      this.#lines = this.#lines.slice(this.#taken);
      this.#taken = 0;
    }
    return this.#piece;
  }

  #wrote(bytes: number): number {
    this.#retryMs = FIRST_RETRY_MS;
    if (this.#piece !== undefined) this.#piece = bytes < this.#piece.length ? this.#piece.subarray(bytes) : undefined;
    if (this.#unreported > 0 && this.#waiting < LONGEST_BACKLOG / 2) {
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
