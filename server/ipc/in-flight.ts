/**
 * A few dozen things by id, which come and go all the time.
 *
 * A Map would do, but one that is always added to and deleted from moves into a new table every few dozen steps, and V8 links each old
 * table to the next: what was in them outlives scavenges (measured: a tenth of a request's garbage is promoted; none with arrays).
 */
export class InFlight<T> {
  readonly #ids: number[] = [];
  readonly #items: T[] = [];

  get size(): number {
    return this.#ids.length;
  }

  add(id: number, item: T): void {
    this.#ids.push(id);
    this.#items.push(item);
  }

  has(id: number): boolean {
    return this.#ids.includes(id);
  }

  get(id: number): T | undefined {
    const at = this.#ids.indexOf(id);
    return at < 0 ? undefined : this.#items[at];
  }

  /** Takes it out; undefined: it was not there. */
  take(id: number): T | undefined {
    const at = this.#ids.indexOf(id);
    if (at < 0) return undefined;
    const item = this.#items[at];
    const [lastId, last] = [this.#ids.pop(), this.#items.pop()];
    if (lastId !== undefined && last !== undefined && lastId !== id) {
      this.#ids[at] = lastId;
      this.#items[at] = last;
    }
    return item;
  }

  /** A copy, so that what it is used for may take them out. */
  get ids(): readonly number[] {
    return this.#ids.slice();
  }

  get items(): readonly T[] {
    return this.#items.slice();
  }
}
