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

  get state(): State {
    return this.#state;
  }

  /** Alive until failed or stopped: the answer of the liveness probe. */
  get live(): boolean {
    return this.#state !== 'failed' && this.#state !== 'stopped';
  }

  /** Moves on; answers false, and changes nothing, where that step is not allowed (a drain that is already under way, say). */
  to(state: State): boolean {
    if (!next[this.#state].includes(state)) return false;
    this.#state = state;
    return true;
  }
}
