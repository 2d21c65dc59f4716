/**
 * The states of a worker: each event's next state, and its effect on the pool. README.md draws this
 * table.
 */

export type WorkerState =
  /** The process loads the script and runs `init()`. */
  | 'starting'
  /** It takes requests. */
  | 'ready'
  /** It takes nothing new and finishes what clients wait for. Its replacement has started. */
  | 'retiring'
  /**
   * It reported that it cannot serve. Its process is about to exit, as in the next three states.
   */
  | 'refused'
  /** The host ended it before it was ready. */
  | 'aborted'
  /** The host ended it while it served. */
  | 'ended'
  /** The host ended it after it had begun to retire. */
  | 'retired'
  /** Its process has exited, and all of its output has been read. */
  | 'gone';

/** Effects of each event, which the pool carries out. */
export interface Effects {
  /** The worker reports the end of `init()`. `serve`: requests go to it. */
  readonly ready: 'serve';
  /**
   * The worker reports that it cannot serve. `fail`: the next attempt follows, or the server fails.
   */
  readonly refuse: 'fail';
  /** A run ignored its cancel, say. `replace`: the replacement starts beside it. */
  readonly retire: 'replace' | 'none';
  /** The host ends the process. */
  readonly end: 'none';
  /**
   * The process has exited. `replaceLater`: the replacement starts after a wait. `count`: the
   * restart is counted.
   */
  readonly exit: 'fail' | 'replaceLater' | 'count' | 'none';
}

export type WorkerEvent = keyof Effects;

type Row = { readonly [E in WorkerEvent]: readonly [next: WorkerState, effect: Effects[E]] | undefined };

/** The event is an error in this state. */
const no = undefined;

// oxfmt-ignore
const table: Readonly<Record<WorkerState, Row>> = {
  starting: { ready: ['ready', 'serve'], refuse: ['refused', 'fail'], retire: no,                      end: ['aborted', 'none'], exit: ['gone', 'fail'] },
  ready:    { ready: no,                 refuse: no,                  retire: ['retiring', 'replace'], end: ['ended', 'none'],   exit: ['gone', 'replaceLater'] },
  retiring: { ready: no,                 refuse: no,                  retire: ['retiring', 'none'],    end: ['retired', 'none'], exit: ['gone', 'count'] },
  refused:  { ready: no,                 refuse: no,                  retire: no,                      end: ['refused', 'none'], exit: ['gone', 'none'] },
  // Its last frames may be read after its end. If one of them is `ready`, it counts as a worker
  // that served.
  aborted:  { ready: ['ended', 'serve'], refuse: ['refused', 'fail'], retire: no,                      end: ['aborted', 'none'], exit: ['gone', 'fail'] },
  ended:    { ready: no,                 refuse: no,                  retire: ['ended', 'none'],       end: ['ended', 'none'],   exit: ['gone', 'replaceLater'] },
  retired:  { ready: no,                 refuse: no,                  retire: ['retired', 'none'],     end: ['retired', 'none'], exit: ['gone', 'count'] },
  gone:     { ready: no,                 refuse: no,                  retire: no,                      end: ['gone', 'none'],    exit: no },
};

/** An event that the state of a worker does not allow. */
export class WorkerStateError extends Error {
  override readonly name = 'WorkerStateError';

  constructor(state: WorkerState, event: WorkerEvent) {
    super(`a worker in the state '${state}' does not allow the event '${event}'`);
  }
}

export function allows(state: WorkerState, event: WorkerEvent): boolean {
  return table[state][event] !== no;
}

/** @throws WorkerStateError */
export function step<E extends WorkerEvent>(state: WorkerState, event: E): readonly [next: WorkerState, effect: Effects[E]] {
  const cell = table[state][event];
  if (cell === no) throw new WorkerStateError(state, event);
  return cell;
}

/** The process is about to exit. */
export function isEnding(state: WorkerState): boolean {
  return state === 'refused' || state === 'aborted' || state === 'ended' || state === 'retired';
}
