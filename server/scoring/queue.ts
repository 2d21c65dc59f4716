import { ServerError } from '../errors.ts';

/**
 * `large`: a large body. `small`: a small one that has arrived in part. `whole`: a small one that
 * has arrived. Large bodies leave a quarter of the room to small ones, and uploads leave half of
 * that to bodies that have arrived. So slow or large uploads never refuse these.
 */
export type BodySize = 'large' | 'small' | 'whole';

const LARGEST_SHARE = 1 / 4;

/**
 * Bytes that are held beside a body while it is read: empty ends of the slabs of its pieces
 * (http/pieces.ts).
 */
const SLACK_BYTES = 4 * 1024 * 1024;

interface QueueLimits {
  readonly maxRequests: number;
  readonly maxBytes: number;
  /**
   * The largest body always finds room in an empty queue, compressed too: then the compressed and
   * the inflated bytes are held at a time.
   */
  readonly largestBody: number;
}

/**
 * Requests that wait for a worker, bounded in number, and the bytes that the host holds for
 * workers, bounded too.
 */
export class Queue<T> {
  readonly #maxRequests: number;
  readonly #maxBytes: number;
  /** Bytes that one request may take while no other takes any. */
  readonly #alone: number;
  /** In order of arrival. Why no Set: see ipc/in-flight.ts. */
  readonly #waiting: T[] = [];
  /** Bytes that bodies of each size leave free. */
  readonly #kept: Readonly<Record<BodySize, number>>;
  #bytes = 0;

  constructor({ maxRequests, maxBytes, largestBody }: QueueLimits) {
    this.#maxRequests = maxRequests;
    this.#maxBytes = maxBytes;
    this.#alone = Math.max(maxBytes, 2 * largestBody + SLACK_BYTES);
    const kept = Math.max(0, Math.min(maxBytes * LARGEST_SHARE, maxBytes - largestBody));
    this.#kept = { large: kept, small: kept / 2, whole: 0 };
  }

  get length(): number {
    return this.#waiting.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get full(): boolean {
    return this.#waiting.length >= this.#maxRequests;
  }

  /** @throws ServerError queue_full */
  add(item: T): void {
    if (this.full) throw this.refusal();
    this.#waiting.push(item);
  }

  /**
   * Adds it before all others, beyond the limits where they are reached: it was admitted before.
   * Its `bytes` count again.
   */
  putBack(item: T, bytes: number): void {
    this.#waiting.unshift(item);
    this.#bytes += bytes;
  }

  /** In the order in which workers get them. */
  get items(): readonly T[] {
    return this.#waiting;
  }

  get oldest(): T | undefined {
    return this.#waiting[0];
  }

  /** Takes the oldest out. */
  take(): T | undefined {
    return this.#waiting.shift();
  }

  remove(item: T): boolean {
    const at = this.#waiting.indexOf(item);
    if (at >= 0) this.#waiting.splice(at, 1);
    return at >= 0;
  }

  /**
   * Reserves bytes of a body.
   * @param own bytes that the same request has reserved
   * @throws ServerError queue_full
   */
  reserve(bytes: number, size: BodySize = 'whole', own = 0): void {
    this.check(bytes, size, own);
    this.#bytes += bytes;
  }

  /** Reserves nothing. @throws ServerError queue_full where there is no room for so many bytes */
  check(bytes: number, size: BodySize = 'whole', own = 0): void {
    const limit = own === this.#bytes ? this.#alone : this.#maxBytes - this.#kept[size];
    if (this.#bytes + bytes <= limit) return;
    throw new ServerError(
      'queue_full',
      `The server is busy: it holds ${this.#bytes} bytes of requests, and ${bytes} more would pass the limit of ${limit}. Try again later.`,
    );
  }

  release(bytes: number): void {
    this.#bytes -= bytes;
  }

  refusal(): ServerError {
    return new ServerError(
      'queue_full',
      `The server is busy: ${this.#waiting.length} requests are waiting, which is the limit. Try again later.`,
    );
  }
}
