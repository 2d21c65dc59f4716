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
  readonly #bytes = Buffer.alloc(LENGTH);
  #last = LAST;

  /** @returns 36 characters of ASCII, in memory that the next call overwrites */
  next(): Buffer {
    if (this.#last === LAST) {
      this.#bytes.write(randomUUID(), 'latin1');
      this.#last = -1;
    }
    let left = ++this.#last;
    for (let at = LENGTH - 1; at >= LENGTH - COUNTED; at--) {
      this.#bytes[at] = DIGITS[left & 15] ?? 0;
      left >>>= 4;
    }
    return this.#bytes;
  }
}
