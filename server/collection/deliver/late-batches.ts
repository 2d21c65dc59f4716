import { keyOf } from './append-sink.ts';
import type { Batch } from './sink.ts';

/**
 * Batches whose call had its share of the time at the end. They come after the others. Those of one
 * file keep their order, because the position of an append depends on the one before.
 */
export class LateBatches {
  #batches: Batch[] = [];

  /** The batch has had a call. */
  add(batch: Batch): void {
    const behind = this.#batches.filter((each) => sameFile(each, batch));
    this.#batches = [...this.#batches.filter((each) => !behind.includes(each)), batch, ...behind];
  }

  has(batch: Batch): boolean {
    return this.#batches.includes(batch);
  }

  /**
   * The next batch: of those that had no call, unless a late one of the same file comes before.
   * @param take answers those that had no call, one after the other
   */
  next(take: () => Batch | undefined): Batch | undefined {
    for (let batch = take(); batch !== undefined; batch = take()) {
      const taken = batch;
      if (!this.#batches.some((late) => sameFile(late, taken))) return taken;
      this.#batches.push(taken);
    }
    return this.#batches.shift();
  }

  get all(): readonly Batch[] {
    return this.#batches;
  }
}

function sameFile({ stream: one }: Batch, { stream: other }: Batch): boolean {
  return one !== undefined && other !== undefined && keyOf(one) === keyOf(other);
}
