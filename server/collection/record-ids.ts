import { randomUUID } from 'node:crypto';

/** The counted part: seven hexadecimal digits, small integers for V8. */
const FIRST = 0x1000000;
const LAST = 0xfffffff;

/** Ids in the form of a UUID: random in front, counted behind. A random one for each record would cost more than its line. */
export class RecordIds {
  #prefix = '';
  #next = LAST + 1;

  next(): string {
    if (this.#next > LAST) {
      this.#prefix = randomUUID().slice(0, 29);
      this.#next = FIRST;
    }
    return this.#prefix + (this.#next++).toString(16);
  }
}
