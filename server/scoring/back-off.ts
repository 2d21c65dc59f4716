/** Of a worker that was ready and is lost: what requests do to a worker must not cost more than that. */
const LONGEST_AFTER_LOSS_MS = 3000;
/** Losses older than this do not delay the next replacement. */
const MEMORY_MS = 60_000;
const FIRST_MS = 100;

/** When a worker of one place is replaced. */
export class BackOff {
  readonly #longestMs: number;
  #losses: number[] = [];
  #failures = 0;

  /** @param longestMs between two replacements that fail to start */
  constructor(longestMs: number) {
    this.#longestMs = longestMs;
  }

  /** Replacements in a row that did not start. */
  get failures(): number {
    return this.#failures;
  }

  /** A worker that served is lost. Answers milliseconds to wait: none for a first loss, then twice as long each time. */
  afterLoss(now = performance.now()): number {
    this.#losses = [...this.#losses.filter((at) => now - at < MEMORY_MS), now].slice(-16);
    const earlier = this.#losses.length - 1;
    return earlier === 0 ? 0 : Math.min(LONGEST_AFTER_LOSS_MS, (FIRST_MS / 2) * 2 ** earlier);
  }

  /** A replacement did not start. Answers milliseconds to wait: twice as long each time. */
  afterFailure(): number {
    this.#failures++;
    return Math.min(this.#longestMs, FIRST_MS * 2 ** Math.min(this.#failures - 1, 30));
  }

  /** A replacement serves. */
  started(): void {
    this.#failures = 0;
  }
}
