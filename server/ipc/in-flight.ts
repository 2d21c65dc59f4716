/**
 * A few dozen items by id, which come and go all the time.
 *
 * Why not a Map: V8 moves a busy Map into a new table every few dozen steps, and links each old
 * table to the next. Items of old tables then outlive scavenges (measured: a tenth of a request's
 * garbage is promoted; none with arrays).
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

  /** Removes an item and returns it; undefined if there is none. */
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

  /** A copy, so that a loop over it may remove items. */
  get ids(): readonly number[] {
    return this.#ids.slice();
  }

  get items(): readonly T[] {
    return this.#items.slice();
  }
}
