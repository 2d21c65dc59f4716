import { randomUUID } from 'node:crypto';

const LENGTH = 36;
/** The counted part: seven hexadecimal digits. */
const COUNTED = 7;
const LAST = 16 ** COUNTED - 1;
const DIGITS = Buffer.from('0123456789abcdef');

/**
 * Ids in the form of a UUID: random at the front, counted at the end. Why: a random id costs more
 * than the rest of a record's line.
 */
export class RecordIds {
  readonly #bytes: Buffer;
  readonly #from: number;
  #last = LAST;

  /** @param before text in front of each id, in ASCII: to copy both at once costs less */
  constructor(before: string) {
    this.#from = before.length;
    this.#bytes = Buffer.from(before + ' '.repeat(LENGTH));
  }

  /** The id that `next` has made. */
  get id(): string {
    return this.#bytes.toString('latin1', this.#from);
  }

  /** @returns the text and a new id, in memory that the next call overwrites */
  next(): Buffer {
    if (this.#last === LAST) {
      this.#bytes.write(randomUUID(), this.#from, 'latin1');
      this.#last = -1;
    }
    let left = ++this.#last;
    const end = this.#from + LENGTH;
    for (let at = end - 1; at >= end - COUNTED; at--) {
      this.#bytes[at] = DIGITS[left & 15] ?? 0;
      left >>>= 4;
    }
    return this.#bytes;
  }
}
