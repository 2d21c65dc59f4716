import { ServerError } from '../errors.ts';

/** How fast one client may send. */
export interface Rate {
  readonly perSecond: number;
  /** Requests at once after a pause. 0: those of one second, at least 1. */
  readonly burst: number;
}

const MOST = 10_000;
/** Share of the buckets that is forgotten at once, so that a search for the fullest is rare. */
const FORGOTTEN = 1 / 4;

/**
 * Token buckets by name. Each is one number: the time at which it is full. So a full bucket needs
 * no entry, and nothing refills them.
 */
export class RateLimit {
  readonly #perSecond: number;
  /** Milliseconds until one more request may follow. */
  readonly #interval: number;
  /** Milliseconds from a bucket with room for one request to a full one. */
  readonly #room: number;
  readonly #now: () => number;
  /** Milliseconds of `now`. */
  readonly #fullAt = new Map<string, number>();

  constructor({ perSecond, burst }: Rate, now = (): number => performance.now()) {
    this.#perSecond = perSecond;
    this.#interval = 1000 / perSecond;
    this.#room = ((burst === 0 ? Math.max(1, Math.floor(perSecond)) : burst) - 1) * this.#interval;
    this.#now = now;
  }

  /** Buckets that are not full. */
  get size(): number {
    return this.#fullAt.size;
  }

  /**
   * Counts a request. A refused one costs nothing, so that a client that retries too early gets its
   * rate, too.
   * @throws ServerError rate_limited
   */
  take(name: string): void {
    const now = this.#now();
    const fullAt = this.check(name, now);
    if (this.#fullAt.size >= MOST && !this.#fullAt.has(name)) this.#forget(now);
    this.#fullAt.set(name, fullAt + this.#interval);
  }

  /**
   * Checks that a request could follow now.
   * @returns the time at which the bucket is full
   * @throws ServerError rate_limited
   */
  check(name: string, now = this.#now()): number {
    const fullAt = Math.max(this.#fullAt.get(name) ?? now, now);
    const waitMs = fullAt - now - this.#room;
    if (waitMs <= 0) return fullAt;
    const retryAfter = Math.max(1, Math.ceil(waitMs / 1000));
    const text = `Too many requests: expected at most ${this.#perSecond} a second of one client. Retry in ${retryAfter} s.`;
    throw new ServerError('rate_limited', text, { retryAfter });
  }

  /**
   * Forgets the buckets that are nearest to full, because a forgotten one counts as full. A client
   * that has spent its own keeps it, however many others come.
   */
  #forget(now: number): void {
    const times = Float64Array.from(this.#fullAt.values()).toSorted();
    const last = Math.max(now, times[Math.floor(times.length * FORGOTTEN)] ?? now);
    let most = MOST * FORGOTTEN;
    for (const [name, fullAt] of this.#fullAt) if (fullAt <= now || (fullAt <= last && most-- > 0)) this.#fullAt.delete(name);
  }
}
