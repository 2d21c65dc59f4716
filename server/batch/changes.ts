/** Wakes whoever waits for the next change of a state. */
export class Changes {
  #waiting = Promise.withResolvers<void>();

  /** Resolves at the next change. */
  get next(): Promise<void> {
    return this.#waiting.promise;
  }

  tell(): void {
    const { resolve } = this.#waiting;
    this.#waiting = Promise.withResolvers<void>();
    resolve();
  }
}
