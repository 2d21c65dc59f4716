import type { Log } from '../log.ts';

/** The client's side of an answer that it has not taken whole. */
export interface Taker {
  /** Bytes that are kept for it; 0: it has all of them, or has left. */
  readonly unsent: number;
  /** Bytes that its connection has taken since the answer began. */
  readonly taken: number;
  /** Ends the connection. */
  close(): void;
}

/** A pipe that can be left unread. */
export interface Pausable {
  pause(): unknown;
  resume(): unknown;
}

/**
 * While memory is short, a client that takes less than `LEAST_TAKEN` bytes in this time is cut off;
 * milliseconds.
 */
export const STALLED_MS = 4000;
/**
 * The same for `SHORTAGE_MS` after clients were cut off, because many such clients would each hold
 * up the others for as long.
 */
export const LASTING_STALLED_MS = 1000;
const SHORTAGE_MS = 10_000;
/** Progress comes in steps: the kernel takes more only when a third of its buffer is free. */
const LEAST_TAKEN = 64 * 1024;
const LOOK_MS = 250;

/**
 * Counts the bytes of answers that the host holds because clients have not taken them. Beyond the
 * limit the workers' pipes are not read, so that later answers stay in their workers. So the host
 * holds the limit and one answer of each worker at most. Connections of clients that take nothing
 * are closed, the oldest answer first, until there is room: they do not stop the others.
 */
export class AnswerMemory {
  readonly #maxBytes: number;
  readonly #log: Log;
  readonly #pipes = new Set<Pausable>();
  /** In order of arrival. Few: bytes that the kernel takes at once are never held. */
  readonly #held = new Set<Held>();
  readonly now: () => number;
  #bytes = 0;
  #paused = false;
  #resumedAt = 0;
  /** When a client was last cut off. */
  #cutAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param maxBytes that may be held before workers have to wait
   * @param now milliseconds; tests bring their own clock
   */
  constructor(maxBytes: number, log: Log, now = (): number => performance.now()) {
    this.#maxBytes = maxBytes;
    this.#log = log;
    this.now = now;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Time until which pipes were left unread, so that the silence of a worker means nothing;
   * milliseconds of `now()`, 0: never.
   */
  get pausedUntil(): number {
    return this.#paused ? this.now() : this.#resumedAt;
  }

  /** The pipe is left unread while too much is held. */
  attach(pipe: Pausable): void {
    this.#pipes.add(pipe);
    if (this.#paused) pipe.pause();
  }

  /** The pipe is read to its end. */
  detach(pipe: Pausable): void {
    if (this.#pipes.delete(pipe) && this.#paused) pipe.resume();
  }

  /**
   * Counts bytes until they are released.
   * @param taker undefined: they wait for the server itself
   */
  hold(bytes: number, taker?: Taker): Held {
    const held = new Held(this, taker);
    held.resize(bytes);
    return held;
  }

  /** Called by `Held` when its bytes have changed. */
  changed(held: Held, by: number): void {
    this.#bytes += by;
    if (held.bytes === 0) this.#held.delete(held);
    else this.#held.add(held);
    if (this.#held.size > 0) this.#timer ??= setInterval(() => this.#look(), LOOK_MS).unref();
    this.#setPaused(this.#bytes > this.#maxBytes);
    if (this.#paused && by > 0) this.#closeStalled();
  }

  #setPaused(paused: boolean): void {
    if (paused === this.#paused) return;
    this.#paused = paused;
    if (!paused) this.#resumedAt = this.now();
    for (const pipe of this.#pipes) {
      if (paused) pipe.pause();
      else pipe.resume();
    }
  }

  #look(): void {
    for (const held of this.#held) held.look();
    if (this.#paused) this.#closeStalled();
    if (this.#held.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #closeStalled(): void {
    const now = this.now();
    const stalledMs = now - this.#cutAt < SHORTAGE_MS ? LASTING_STALLED_MS : STALLED_MS;
    let [answers, bytes] = [0, 0];
    for (const held of this.#held) {
      if (this.#bytes <= this.#maxBytes) break;
      held.look();
      if (!held.stalledFor(stalledMs)) continue;
      answers++;
      bytes += held.bytes;
      held.close();
    }
    if (answers === 0) return;
    this.#cutAt = now;
    this.#log.warn(
      { answers, bytes, limit: this.#maxBytes },
      'clients that do not read their answers are cut off: more than ANSWERS_MAX_BYTES were held for clients',
    );
  }
}

/** Bytes of one answer that count. */
export class Held {
  readonly #memory: AnswerMemory;
  readonly #taker: Taker | undefined;
  #bytes = 0;
  #taken = 0;
  #takenAt = 0;

  constructor(memory: AnswerMemory, taker: Taker | undefined) {
    this.#memory = memory;
    this.#taker = taker;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** So many bytes are held now. */
  resize(bytes: number): void {
    const by = bytes - this.#bytes;
    if (by === 0) return;
    if (this.#bytes === 0) this.#note(this.#taker?.taken ?? 0);
    this.#bytes = bytes;
    this.#memory.changed(this, by);
  }

  release(): void {
    this.resize(0);
  }

  /** Notes what the client has taken. */
  look(): void {
    if (this.#taker === undefined) return;
    const { unsent, taken } = this.#taker;
    if (taken - this.#taken >= LEAST_TAKEN) this.#note(taken);
    this.resize(unsent);
  }

  stalledFor(ms: number): boolean {
    return this.#taker !== undefined && this.#bytes > 0 && this.#memory.now() - this.#takenAt >= ms;
  }

  close(): void {
    this.#taker?.close();
    this.release();
  }

  #note(taken: number): void {
    this.#taken = taken;
    this.#takenAt = this.#memory.now();
  }
}
