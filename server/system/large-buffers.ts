import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Bytes that have gone through the host since the last collection that are worth one. */
const WORTH_A_COLLECTION = 32 * 1024 * 1024;
/** Smaller bodies are collected with everything else. */
const LARGE = 32 * 1024;
/** More of them are collected together. */
const PAUSE_MS = 500;

/**
 * Gives the memory of large bodies and replies back to the system. V8 counts them, and begins to mark when they are many, but goes on only as
 * JavaScript objects are made: a host that has little else to do would keep 100 MB for as long as nobody asks (measured: after 5,000
 * small requests too). What was freed may stay with the C library's allocator, for the next large body. One collection of the host's small heap takes some 10 ms.
 */
export class LargeBuffers {
  readonly #collect: () => void;
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param collect a full garbage collection */
  constructor(collect: () => void = collectGarbage) {
    this.#collect = collect;
  }

  /** So many bytes of a request and its answer are let go. */
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

/** Node offers `gc` only under a flag; it may be set at any time, and a new context then has the function. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  setFlagsFromString('--no-expose-gc');
  gc();
}
