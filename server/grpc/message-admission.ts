import { Admission } from '../exchange/admission.ts';
import type { BodySize } from '../scoring/queue.ts';
import type { Scorer } from '../scoring/scorer-types.ts';

/** The admission of one message, of which the first bytes may be free. */
export class MessageAdmission extends Admission {
  #free: number;
  #taken = 0;

  /** @param free bytes that need no reservation, so that a probe is never refused */
  constructor(scorer: Pick<Scorer, 'grow' | 'release'>, free = 0) {
    super(scorer);
    this.#free = free;
  }

  /** Reserves the bytes that are not free. @throws ServerError queue_full */
  override grow(bytes: number, size: BodySize): void {
    const needed = Math.max(bytes - this.#free, 0);
    if (needed > 0) super.grow(needed, size);
    this.#free = Math.max(this.#free - bytes, 0);
    this.#taken += bytes;
  }

  /** All bytes that were ever taken, free ones too. */
  get taken(): number {
    return this.#taken;
  }
}
