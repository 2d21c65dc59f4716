import type { Block } from './block.ts';

const BUFFER = 512 * 1024;

/** Collects the lines of one collection and hour of a batch: bytes are written once, where they stay. */
export class BlockWriter {
  readonly #collection: string;
  readonly #done: (block: Block) => void;
  #hour = '';
  #buffer = Buffer.allocUnsafeSlow(BUFFER);
  #from = 0;
  #to = 0;
  #records = 0;
  #cost = 0;

  constructor(collection: string, done: (block: Block) => void) {
    this.#collection = collection;
    this.#done = done;
  }

  /** Adds a line of three parts, of which the middle one may be bytes. */
  add(hour: string, head: string, data: Buffer | string, tail: string, cost: number): void {
    if (hour !== this.#hour) {
      this.flush();
      this.#hour = hour;
    }
    const most = (head.length + tail.length) * 3 + (typeof data === 'string' ? data.length * 3 : data.length);
    if (this.#buffer.length - this.#to < most) {
      this.flush();
      this.#buffer = Buffer.allocUnsafeSlow(Math.max(BUFFER, most));
      this.#from = 0;
      this.#to = 0;
    }
    let at = this.#to;
    at += this.#buffer.write(head, at);
    at += typeof data === 'string' ? this.#buffer.write(data, at) : data.copy(this.#buffer, at);
    this.#to = at + this.#buffer.write(tail, at);
    this.#records++;
    this.#cost += cost;
  }

  /** Passes on what was collected. */
  flush(): void {
    if (this.#records === 0) return;
    this.#done({
      collection: this.#collection,
      hour: this.#hour,
      v1: false,
      data: this.#buffer.subarray(this.#from, this.#to),
      records: this.#records,
      cost: this.#cost,
      counted: true,
      payloads: [],
    });
    this.#from = this.#to;
    this.#records = 0;
    this.#cost = 0;
  }
}
