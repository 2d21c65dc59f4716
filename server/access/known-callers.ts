/** Callers of all addresses. */
const MOST = 10_000;

/** Which callers have come from which address before, by their names. */
export class KnownCallers {
  readonly #names = new Map<string, Set<string>>();
  #size = 0;

  /** True if anybody is known there. */
  any(address: string): boolean {
    return this.#names.has(address);
  }

  has(address: string, name: string): boolean {
    return this.#names.get(address)?.has(name) === true;
  }

  /** Adds a caller who is not known there. The oldest address is forgotten for it, if need be. */
  add(address: string, name: string): void {
    const names = this.#names.get(address);
    if (names === undefined) this.#names.set(address, new Set([name]));
    else names.add(name);
    if (++this.#size <= MOST) return;
    for (const [oldest, { size }] of this.#names) {
      this.#names.delete(oldest);
      this.#size -= size;
      return;
    }
  }
}
