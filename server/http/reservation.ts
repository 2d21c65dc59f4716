import type { IncomingMessage } from 'node:http';
import type { Scorer } from '../scoring/scorer-types.ts';
import { Pieces, SMALL } from './pieces.ts';
import type { UploadRate } from './upload-rate.ts';

/** The room of one request at the scorer: what was reserved is given back once, or handed over with the request. */
export class Reservation {
  readonly pieces = new Pieces();
  readonly #scorer: Scorer;
  readonly #declared: number;
  #bytes = 0;
  #open = true;
  /** Set while the body is uploaded. */
  rate: UploadRate | undefined;

  /**
   * Reserves nothing yet: what a client declares costs it nothing.
   * @param declared bytes that will come, as far as they are known
   * @throws ServerError what `Scorer.admit` throws
   */
  constructor(scorer: Scorer, declared: number) {
    scorer.admit(0, declared);
    this.#scorer = scorer;
    this.#declared = declared;
  }

  /** Reserves what the pieces hold. @param waiting bytes that are held beside them @throws ServerError queue_full */
  cover(request: IncomingMessage, waiting = 0): void {
    const held = this.pieces.held + waiting;
    if (!this.#open || held <= this.#bytes) return;
    const large = held > SMALL || this.#declared > SMALL;
    this.#scorer.grow(held - this.#bytes, large ? 'large' : request.complete ? 'whole' : 'small');
    this.#bytes = held;
  }

  /** Bytes of the body that have arrived, inflated. */
  get bytes(): number {
    return this.pieces.bytes;
  }

  /** False once it was given back or handed over. */
  get open(): boolean {
    return this.#open;
  }

  /** Gives back what is still reserved, and lets go of what it was reserved for. */
  cancel(): void {
    if (!this.#open) return;
    this.#open = false;
    this.rate?.stop();
    this.pieces.clear();
    this.#scorer.release(this.#bytes);
  }

  /** The body. From now on its bytes are the scorer's to give back. */
  handOver(): readonly Buffer[] {
    const body = this.pieces.take();
    this.#open = false;
    this.rate?.stop();
    if (this.#bytes > this.pieces.bytes) this.#scorer.release(this.#bytes - this.pieces.bytes);
    return body;
  }
}
