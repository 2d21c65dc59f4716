import type { BodySize } from '../scoring/queue.ts';
import type { Scorer } from '../scoring/scorer-types.ts';

/**
 * Bytes that one request has reserved at the scorer. They are released once, or handed over with
 * the request.
 */
export class Admission {
  readonly #scorer: Pick<Scorer, 'grow' | 'release'>;
  #reserved = 0;
  #open = true;

  constructor(scorer: Pick<Scorer, 'grow' | 'release'>) {
    this.#scorer = scorer;
  }

  get reserved(): number {
    return this.#reserved;
  }

  /** False once the bytes were released or handed over. */
  get open(): boolean {
    return this.#open;
  }

  /**
   * Reserves more bytes.
   * @param size the share of the queue that they may take
   * @throws ServerError queue_full
   */
  grow(bytes: number, size: BodySize): void {
    this.#scorer.grow(bytes, size, this.#reserved);
    this.#reserved += bytes;
  }

  /** Releases some of the bytes, at most those that are reserved. */
  shrink(bytes: number): void {
    const released = Math.min(bytes, this.#reserved);
    this.#reserved -= released;
    if (released > 0) this.#scorer.release(released);
  }

  /** Releases what is still reserved, possibly nothing. */
  cancel(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#scorer.release(this.#reserved);
  }

  /** The scorer releases the body's bytes from now on; the excess is released here. */
  handOver(bodyBytes: number): void {
    this.#open = false;
    if (this.#reserved > bodyBytes) this.#scorer.release(this.#reserved - bodyBytes);
  }
}
