/** Runs work in the order in which it comes, one piece at a time. */
export class OneAtATime {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    // The next piece runs after this one, whatever became of it.
    this.#last = done.catch(() => undefined);
    return done;
  }
}
