import { ftruncateSync, writeSync } from 'node:fs';

interface Waiting {
  readonly id: number;
  readonly payload: Buffer;
  /** Which of the requests that this worker was given. */
  readonly order: number;
}

/** Runs that begin one after the other hold the thread: after so long the pipe is read again, and a cancel is heard. */
const TURN_MS = 10;
/** Runs that give the thread back sooner are marked together. */
const QUICK_MS = 1;

/**
 * Begins runs. Frames of one read wait until all of them are cut, so that a cancel is known before the run that it is for begins.
 * What has begun is marked first, in a file that outlives this process: fd 4, ipc/protocol.ts.
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

  /** True: it had not begun, and never will. */
  drop(id: number): boolean {
    const at = this.#waiting.findIndex((waiting) => waiting.id === id);
    if (at >= 0) this.#waiting.splice(at, 1);
    return at >= 0;
  }

  /** A read is done. @param more the pipe may hold more already */
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

/** Writes how many runs have begun. Where it cannot, the file is emptied: any may have. @throws where it cannot do that either */
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
