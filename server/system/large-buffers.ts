import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Bytes of bodies since the last collection that are worth the next one. */
const WORTH_A_COLLECTION = 32 * 1024 * 1024;
/** Smaller bodies need no collection of their own. */
const LARGE = 32 * 1024;
/** Wait for more of them; milliseconds. */
const PAUSE_MS = 500;

/**
 * Gives the memory of large bodies and replies back to the system. V8 counts them and begins to
 * mark when they are many, but goes on only as JavaScript objects are made. An idle host would keep
 * 100 MB (measured, after 5,000 small requests too). Freed memory may stay with the C library's
 * allocator, for the next large body. One collection of the host's small heap takes some 10 ms.
 */
export class LargeBuffers {
  readonly #collect: () => void;
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param collect a full garbage collection */
  constructor(collect: () => void = collectGarbage) {
    this.#collect = collect;
  }

  /** Counts released bytes of a request and its answer. */
  used(bytes: number): void {
    if (bytes < LARGE) return;
    this.#bytes += bytes;
    if (this.#bytes < WORTH_A_COLLECTION) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#now(), PAUSE_MS).unref();
  }

  #now(): void {
    this.#bytes = 0;
    this.#collect();
  }
}

/** Node has `gc` only under a flag. Set at any time, it gives the function to the next context. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const gc: unknown = runInNewContext('gc');
  setFlagsFromString('--no-expose-gc');
  if (typeof gc === 'function') gc();
}
