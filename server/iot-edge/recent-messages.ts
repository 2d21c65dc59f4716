/** The messages that were answered last, so that a redelivered one is not answered again. */
export class RecentMessages {
  readonly #most: number;
  /** In order of their answers. */
  readonly #keys = new Set<string>();

  /** @param most how many are kept */
  constructor(most: number) {
    this.#most = most;
  }

  add(key: string): void {
    this.#keys.add(key);
    if (this.#keys.size <= this.#most) return;
    const [oldest] = this.#keys;
    if (oldest !== undefined) this.#keys.delete(oldest);
  }

  has(key: string): boolean {
    return this.#keys.has(key);
  }
}
