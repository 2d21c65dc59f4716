import { ServerError } from '../errors.ts';

/** Requests that wait for a worker, bounded in number, and the bytes that the host holds for workers, bounded too. */
export class Queue<T> {
  readonly #maxRequests: number;
  readonly #maxBytes: number;
  /** In order of arrival. No Set: in-flight.ts says why. */
  readonly #waiting: T[] = [];
  #bytes = 0;

  constructor(limits: { readonly maxRequests: number; readonly maxBytes: number }) {
    this.#maxRequests = limits.maxRequests;
    this.#maxBytes = limits.maxBytes;
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

  /** Before all others, beyond the limits if need be: it was admitted before, and its `bytes` are there again. */
  putBack(item: T, bytes: number): void {
    this.#waiting.unshift(item);
    this.#bytes += bytes;
  }

  get oldest(): T | undefined {
    return this.#waiting[0];
  }

  /** The oldest, taken out. */
  take(): T | undefined {
    return this.#waiting.shift();
  }

  remove(item: T): boolean {
    const at = this.#waiting.indexOf(item);
    if (at >= 0) this.#waiting.splice(at, 1);
    return at >= 0;
  }

  /** @throws ServerError queue_full */
  reserve(bytes: number): void {
    if (this.#bytes + bytes > this.#maxBytes) {
      throw new ServerError(
        'queue_full',
        `The server is busy: it holds ${this.#bytes} bytes of requests, and ${bytes} more would pass the limit of ${this.#maxBytes}. Try again later.`,
      );
    }
    this.#bytes += bytes;
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
