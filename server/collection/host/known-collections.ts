import { MOST_COLLECTIONS } from '../../ipc/limits.ts';
import { UNKNOWN } from '../counts.ts';

/**
 * The collections of scripts, over all lives of their workers. Why a limit of the host's own: each
 * worker that is replaced may bring other names.
 */
export class KnownCollections {
  readonly #names = new Set<string>();
  readonly #warn: (text: string) => void;
  #warned = false;

  /** @param warn called once */
  constructor(warn: (text: string) => void) {
    this.#warn = warn;
  }

  /** True for one of the first collections. */
  has(collection: string): boolean {
    if (this.#names.has(collection) || collection === UNKNOWN) return true;
    if (this.#names.size < MOST_COLLECTIONS) {
      this.#names.add(collection);
      return true;
    }
    if (!this.#warned)
      this.#warn(
        `scripts have made more than ${MOST_COLLECTIONS} collections: rows of further ones are dropped (logged once), ${collection} is the first`,
      );
    this.#warned = true;
    return false;
  }
}
