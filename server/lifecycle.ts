/** starting -> ready -> draining -> stopped, or failed from any of the first three. */
export type State = 'starting' | 'ready' | 'draining' | 'stopped' | 'failed';

const next: Record<State, readonly State[]> = {
  starting: ['ready', 'draining', 'failed'],
  ready: ['draining', 'failed'],
  draining: ['stopped', 'failed'],
  stopped: [],
  failed: [],
};

/** The only holder of the host's state. */
export class Lifecycle {
  #state: State = 'starting';
  readonly #listeners: (() => void)[] = [];

  get state(): State {
    return this.#state;
  }

  /** True until failed or stopped: the answer of the liveness probe. */
  get live(): boolean {
    return this.#state !== 'failed' && this.#state !== 'stopped';
  }

  /**
   * Changes the state. False, and no change, where the step is not allowed (a second drain, for
   * example).
   */
  to(state: State): boolean {
    if (!next[this.#state].includes(state)) return false;
    this.#state = state;
    for (const listener of this.#listeners) listener();
    return true;
  }

  /** @param listener called after each change; it must not throw */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }
}
