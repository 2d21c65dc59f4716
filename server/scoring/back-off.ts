const LONGEST_MS = 3000;
/** Losses older than this do not delay the next replacement. */
const MEMORY_MS = 60_000;

/** How long to wait before the next replacement: not at all for a first loss, then twice as long each time. */
export class BackOff {
  #losses: number[] = [];

  /** Notes a loss; answers milliseconds. */
  next(now = performance.now()): number {
    this.#losses = [...this.#losses.filter((at) => now - at < MEMORY_MS), now].slice(-16);
    const earlier = this.#losses.length - 1;
    return earlier === 0 ? 0 : Math.min(LONGEST_MS, 50 * 2 ** earlier);
  }
}
