import { setImmediate as nextTurn } from 'node:timers/promises';
import { exchangeBytes, ExchangeHeads, rowsBytes, SLAB_BYTES, writeExchange, writeRows, type ExchangeRecord } from '../records.ts';

/** Longest time that a record waits for others before it leaves the host. */
const LINGER_MS = 50;
/**
 * Slabs that the thread may have before others wait to be full. Why: a thread that is stuck must
 * not collect slabs with a record each.
 */
const MOST_EARLY = 4;
/** Records above this size travel alone. */
const LARGE = 64 * 1024;
/** Bytes that are copied in one turn of the host's event loop: about a fifth of a millisecond. */
const SLICE = 1024 * 1024;

/** A record that is copied in slices. */
type LargeRecord = { readonly bytes: number; write(into: Buffer): AsyncGenerator<void, number> };

/** Memory that can be transferred: no pool and no shared memory. */
type Slab = Buffer<ArrayBuffer>;

/**
 * Copies records into buffers and passes those on: many small records in one, large ones alone and
 * in slices.
 */
export class HandOver {
  readonly #post: (batch: ArrayBuffer, bytes: number) => void;
  readonly #heads = new ExchangeHeads();
  #slab: Slab | undefined;
  #used = 0;
  #timer: NodeJS.Timeout | undefined;
  /** Slabs that the thread has. */
  #away = 0;
  /** The slab has waited long enough, and leaves as soon as the thread keeps up. */
  #due = false;
  /** Number of times that records were forgotten. */
  #discarded = 0;
  readonly #spare: ArrayBuffer[] = [];
  readonly #large: LargeRecord[] = [];
  #copying: Promise<void> | undefined;

  /** @param post gets a buffer that it may transfer */
  constructor(post: (batch: ArrayBuffer, bytes: number) => void) {
    this.#post = post;
  }

  /** @param bytes its size in a batch */
  exchange(record: ExchangeRecord, bytes = exchangeBytes(record)): void {
    const head = this.#heads.of(record);
    if (bytes > LARGE) return this.#later({ bytes, write: (into) => copyExchange(into, head, record) });
    const slab = this.#reserve(bytes);
    let at = writeExchange(slab, this.#used, head, record);
    for (const piece of record.request.body) at += piece.copy(slab, at);
    for (const piece of record.response.body) at += piece.copy(slab, at);
    this.#used = at;
  }

  rows(payload: Buffer): void {
    const bytes = rowsBytes(payload);
    if (bytes > LARGE) return this.#later({ bytes, write: (into) => copyRows(into, payload) });
    const slab = this.#reserve(bytes);
    this.#used = writeRows(slab, this.#used, payload);
  }

  /** Takes a buffer back, to fill it again. */
  recycle(batch: ArrayBuffer): void {
    this.#away = Math.max(0, this.#away - 1);
    if (batch.byteLength === SLAB_BYTES && this.#spare.length < 4) this.#spare.push(batch);
    if (this.#due) this.flush();
  }

  /** Passes on the small records so far. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#due = false;
    const slab = this.#slab;
    if (slab === undefined || this.#used === 0) return;
    const bytes = this.#used;
    this.#slab = undefined;
    this.#used = 0;
    this.#away++;
    this.#post(slab.buffer, bytes);
  }

  /** Forgets records that are not passed on, and the slabs of a thread that is gone. */
  discard(): void {
    this.#used = 0;
    this.#away = 0;
    this.#discarded++;
    this.#large.length = 0;
  }

  /** Passes on all records, large ones too. */
  async flushed(): Promise<void> {
    await this.#copying;
    this.flush();
  }

  #reserve(bytes: number): Slab {
    if (this.#slab !== undefined && SLAB_BYTES - this.#used < bytes) this.flush();
    this.#slab ??= Buffer.from(this.#spare.pop() ?? new ArrayBuffer(SLAB_BYTES));
    this.#timer ??= setTimeout(() => this.#linger(), LINGER_MS);
    return this.#slab;
  }

  #linger(): void {
    this.#timer = undefined;
    if (this.#away < MOST_EARLY) this.flush();
    else this.#due = true;
  }

  #later(record: LargeRecord): void {
    this.#large.push(record);
    this.#copying ??= this.#copyLarge();
  }

  async #copyLarge(): Promise<void> {
    for (let record = this.#large.shift(); record !== undefined; record = this.#large.shift()) {
      const discarded = this.#discarded;
      const into = Buffer.allocUnsafeSlow(record.bytes);
      const copy = record.write(into);
      let step = await copy.next();
      while (step.done !== true) {
        await nextTurn();
        step = await copy.next();
      }
      if (discarded === this.#discarded) this.#post(into.buffer, step.value);
    }
    this.#copying = undefined;
  }
}

async function* copyExchange(into: Buffer, head: Buffer, record: ExchangeRecord): AsyncGenerator<void, number> {
  let at = writeExchange(into, 0, head, record);
  for (const piece of [...record.request.body, ...record.response.body]) at = yield* copySlices(into, at, piece);
  return at;
}

async function* copyRows(into: Buffer, payload: Buffer): AsyncGenerator<void, number> {
  const end = writeRows(into, 0, payload.subarray(0, 0));
  into.writeUInt32LE(1 + payload.length, 0);
  return yield* copySlices(into, end, payload);
}

/** A turn also ends after each piece of some size, because many of those fill a turn, too. */
async function* copySlices(into: Buffer, start: number, piece: Buffer): AsyncGenerator<void, number> {
  let at = start;
  for (let from = 0; from < piece.length; from += SLICE) {
    at += piece.copy(into, at, from, from + SLICE);
    if (piece.length >= LARGE) yield;
  }
  return at;
}
