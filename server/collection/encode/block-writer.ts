import type { Block } from './block.ts';

const BUFFER = 512 * 1024;
/** Bytes of UTF-8 for each unit of a string, at most. */
const LONGEST_CHARACTER = 3;

/** Parts of a line: texts, or their bytes in UTF-8. */
export type LineParts = readonly (Buffer | string)[];

/**
 * Joins the lines of one collection and hour of a batch into a block. Each byte is written once, in
 * the block's own memory.
 */
export class BlockWriter {
  readonly #collection: string;
  readonly #done: (block: Block) => void;
  #hour = '';
  #buffer = Buffer.allocUnsafeSlow(BUFFER);
  #from = 0;
  #to = 0;
  #records = 0;

  constructor(collection: string, done: (block: Block) => void) {
    this.#collection = collection;
    this.#done = done;
  }

  /** Adds a line. Its last part contains the line end. */
  add(hour: string, parts: LineParts): void {
    if (hour !== this.#hour) {
      this.flush();
      this.#hour = hour;
    }
    let most = 0;
    for (const part of parts) most += typeof part === 'string' ? LONGEST_CHARACTER * part.length : part.length;
    if (this.#buffer.length - this.#to < most) {
      this.flush();
      this.#buffer = Buffer.allocUnsafeSlow(Math.max(BUFFER, most));
      this.#from = 0;
      this.#to = 0;
    }
    for (const part of parts) {
      if (typeof part === 'string') this.#to += this.#buffer.write(part, this.#to);
      else {
        this.#buffer.set(part, this.#to);
        this.#to += part.length;
      }
    }
    this.#records++;
  }

  /** Passes on the lines so far as a block. */
  flush(): void {
    if (this.#records === 0) return;
    this.#done({
      collection: this.#collection,
      hour: this.#hour,
      v1: false,
      data: this.#buffer.subarray(this.#from, this.#to),
      records: this.#records,
      counted: true,
      payloads: [],
    });
    this.#from = this.#to;
    this.#records = 0;
  }
}
