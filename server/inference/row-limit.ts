/**
 * An inference may take so long before merging has to pay; milliseconds. Why: a call waits for all
 * rows of its batch.
 */
export const QUICK_MS = 5;
/** A batch pays if its rows cost at most this share of what they cost in a batch of half its size. */
const PAYS = 0.9;
/** Batches in a row that do not pay. Why not one: another process may hold the core meanwhile. */
const MOST_SLOW = 2;
/** Inferences before the limit grows again. */
const REST = 256;
/** Each inference makes the fastest one seem slower by this factor, so that it is forgotten. */
const FORGETS = 1.05;

/**
 * Most rows of a merged inference, by what inferences took. The limit doubles while a full batch
 * stays below `maxMs`, or pays. It halves while batches do neither. So rows that take long run
 * alone.
 */
export class RowLimit {
  readonly #most: number;
  readonly #maxMs: number;
  /** Milliseconds a row, by the logarithm of the number of rows: those of the fastest inference. */
  readonly #costs: number[] = [];
  #rows: number;
  #slow = 0;
  #rest = 0;

  /** @param maxMs infinity: the limit is `most` from the start */
  constructor(most: number, maxMs: number) {
    this.#most = most;
    this.#maxMs = maxMs;
    this.#rows = maxMs === Number.POSITIVE_INFINITY ? most : 1;
  }

  get rows(): number {
    return this.#rows;
  }

  /** An inference of so many rows took so many milliseconds. */
  took(rows: number, ms: number): void {
    if (this.#maxMs === Number.POSITIVE_INFINITY || rows > this.#most) return;
    this.#rest--;
    const pays = this.#pays(rows, ms);
    if (ms <= this.#maxMs || pays) {
      this.#slow = 0;
      this.#grow(rows);
    } else if (rows === 1) this.#grow(rows);
    else if (++this.#slow >= MOST_SLOW) {
      this.#slow = 0;
      this.#rows = Math.max(1, Math.min(this.#rows, Math.floor(rows / 2)));
      this.#rest = REST;
    }
  }

  #grow(rows: number): void {
    if (rows >= this.#rows && this.#rest <= 0) this.#rows = Math.min(this.#most, this.#rows * 2);
  }

  /** Notes the cost of a row, and compares it with that in a batch of half the size. */
  #pays(rows: number, ms: number): boolean {
    const size = Math.ceil(Math.log2(rows));
    const cost = ms / rows;
    this.#costs[size] = Math.min(cost, (this.#costs[size] ?? Infinity) * FORGETS);
    const half = this.#costs[size - 1];
    return half !== undefined && cost <= half * PAYS;
  }
}
