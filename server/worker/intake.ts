import { ftruncateSync, writeSync } from 'node:fs';

interface Waiting {
  readonly id: number;
  readonly payload: Buffer;
  /** Number of the request, in the order in which this worker got them. */
  readonly order: number;
}

/**
 * Milliseconds after which the pipe is read again. Why: runs that begin one after the other hold
 * the thread, and a cancel may wait.
 */
const TURN_MS = 10;
/** Milliseconds. Runs that give the thread back sooner are marked together. */
const QUICK_MS = 1;

/**
 * Begins runs. Frames of one read wait until all of them are read. Why: a cancel is then known
 * before its run begins. Each run is marked before it begins, in a file that outlives this process:
 * fd 4, ipc/README.md.
 */
export class Intake {
  readonly #begin: (id: number, payload: Buffer) => void;
  readonly #mark: (begun: number) => void;
  #waiting: Waiting[] = [];
  #given = 0;
  #quick = false;
  #scheduled = false;
  readonly #turn = (): void => {
    this.#scheduled = false;
    this.#work();
  };

  constructor(begin: (id: number, payload: Buffer) => void, mark: (begun: number) => void) {
    this.#begin = begin;
    this.#mark = mark;
  }

  /** A `score` frame. */
  add(id: number, payload: Buffer): void {
    this.#waiting.push({ id, payload, order: ++this.#given });
  }

  /** Drops a run that has not begun. False: it has begun, or there is none. */
  drop(id: number): boolean {
    const at = this.#waiting.findIndex((waiting) => waiting.id === id);
    if (at >= 0) this.#waiting.splice(at, 1);
    return at >= 0;
  }

  /** Begins the runs of a read. @param more the pipe may hold more already */
  read(more: boolean): void {
    if (this.#waiting.length === 0 || this.#scheduled) return;
    if (more) this.#later();
    else this.#work();
  }

  #work(): void {
    const waiting = this.#waiting;
    const from = performance.now();
    let before = from;
    let marked = 0;
    for (let at = 0; at < waiting.length; at++) {
      const next = waiting[at];
      if (next === undefined) break;
      if (next.order > marked) {
        marked = (this.#quick ? waiting.at(-1)?.order : undefined) ?? next.order;
        this.#mark(marked);
      }
      this.#begin(next.id, next.payload);
      const now = performance.now();
      this.#quick = now - before < QUICK_MS;
      before = now;
      if (now - from < TURN_MS || at + 1 === waiting.length) continue;
      this.#waiting = waiting.slice(at + 1);
      return this.#later();
    }
    this.#waiting = [];
  }

  #later(): void {
    this.#scheduled = true;
    setImmediate(this.#turn);
  }
}

/**
 * Writes how many runs have begun. Where that fails it empties the file, which means that any run
 * may have begun.
 * @throws where that fails, too
 */
export function markIn(fd: number): (begun: number) => void {
  const number = new Float64Array(1);
  const bytes = new Uint8Array(number.buffer);
  let known = true;
  return (begun) => {
    if (!known) return;
    try {
      number[0] = begun;
      writeSync(fd, bytes, 0, bytes.length, 0);
    } catch {
      known = false;
      ftruncateSync(fd, 0);
    }
  };
}
