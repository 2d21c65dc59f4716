import type { BodySize } from '../scoring/queue.ts';
import type { Scorer } from '../scoring/scorer-types.ts';

/** The room at the scorer of one message: what was reserved is given back once, or handed over with the message. */
export class Room {
  readonly #scorer: Pick<Scorer, 'grow' | 'release'>;
  /** Bytes that need no room: those of probes, which never wait. */
  #free: number;
  #reserved = 0;
  #taken = 0;
  #open = true;

  constructor(scorer: Pick<Scorer, 'grow' | 'release'>, free = 0) {
    this.#scorer = scorer;
    this.#free = free;
  }

  /** Reserves so many bytes more. @param size which room they may take @throws ServerError queue_full */
  take(bytes: number, size: BodySize): void {
    const needed = Math.max(bytes - this.#free, 0);
    if (needed > 0) this.#scorer.grow(needed, size);
    this.#free = Math.max(this.#free - bytes, 0);
    this.#reserved += needed;
    this.#taken += bytes;
  }

  /** All bytes that were ever taken. */
  get taken(): number {
    return this.#taken;
  }

  /** Gives so many of the bytes back. */
  give(bytes: number): void {
    const given = Math.min(bytes, this.#reserved);
    this.#reserved -= given;
    if (given > 0) this.#scorer.release(given);
  }

  /** False once it was given back or handed over. */
  get open(): boolean {
    return this.#open;
  }

  /** Gives back what is still reserved. */
  close(): void {
    if (this.#open) this.give(this.#reserved);
    this.#open = false;
  }

  /** From now on the bytes are the scorer's to give back. */
  handOver(): void {
    this.#open = false;
  }
}
