import { FrameError } from '../ipc/frames.ts';
import { InFlight } from '../ipc/in-flight.ts';
import type { StartMessage } from '../ipc/start-message.ts';
import type { ReadyMessage } from '../ipc/worker-messages.ts';
import type { ActiveScoring } from './active-scoring.ts';
import type { EndReason, RetireReason } from './worker-endings.ts';
import type { WorkerLink } from './worker-process.ts';
import type { Usage } from './worker-usage.ts';
import { allows, type Effects, isEnding, step, type WorkerEvent, type WorkerState } from './worker-states.ts';

/**
 * Milliseconds. While runs are shorter, requests wait in the worker's pipe (README.md, `ahead`).
 * Why: the way to the host and back takes a good part of the time between such runs.
 */
const QUICK_MS = 2;

/**
 * What work needs of a worker. `credit`: any, also ahead of its runs. `run`: a run that is free.
 * `nothing`: the work is no `run()`.
 */
export type Need = 'credit' | 'run' | 'nothing';

/** A worker as the pool sees it: its process, its state, and the scorings that it holds. */
export class PoolWorker {
  readonly number: number;
  readonly process: WorkerLink;
  readonly start: StartMessage;
  readonly startedAt = performance.now();
  readonly scorings = new InFlight<ActiveScoring>();
  /** Ends a start that takes too long. */
  startTimer: NodeJS.Timeout | undefined;
  /** Model that it runs on made-up inputs; undefined: none. */
  trying: string | undefined;
  /** Ends such a run that takes too long. */
  trialTimer: NodeJS.Timeout | undefined;
  /** Memory and CPU time of its process, as last read. */
  usage: Usage | undefined;
  /** A redaction hook has had its thread for a while: another worker is the better choice. */
  heldByHook = false;
  /** The memory that it took and might take, where that is why it was ended. */
  tooLarge: string | undefined;
  #state: WorkerState = 'starting';
  #endedFor: EndReason | undefined;
  #retiredFor: RetireReason | undefined;
  #concurrency = 0;
  #ahead = 0;
  /** Its last run was quick. */
  #quick = false;
  #closes = false;
  /** Requests that its process was given so far. */
  #given = 0;
  #cancelledAt = 0;

  /** @param start what the process was started with */
  constructor(number: number, process: WorkerLink, start: StartMessage) {
    this.number = number;
    this.process = process;
    this.start = start;
  }

  get state(): WorkerState {
    return this.#state;
  }

  /** Why the host ended it; undefined: the host did not. */
  get endedFor(): EndReason | undefined {
    return this.#endedFor;
  }

  /** Why it was replaced before it ended. */
  get retiredFor(): RetireReason | undefined {
    return this.#retiredFor;
  }

  get usable(): boolean {
    return this.#state === 'ready';
  }

  /** It was ready once, and no other worker has its place. */
  get hasServed(): boolean {
    return this.#state === 'ready' || (this.#state === 'ended' && this.#endedFor !== 'trial');
  }

  /** The process is about to exit. */
  get ending(): boolean {
    return isEnding(this.#state);
  }

  /** Its script has a `close()`, which runs if the process may exit by itself. */
  get closes(): boolean {
    return this.#closes;
  }

  /** `run()` calls that it takes at a time. */
  get concurrency(): number {
    return this.#concurrency;
  }

  /**
   * Requests that it can take now: none between a cancel for a deadline and its next frame, because
   * its thread may be stuck. While its runs are quick, some wait in its pipe.
   */
  get credit(): number {
    if (!this.usable || this.process.lastReadAt < this.#cancelledAt) return 0;
    return this.#concurrency + (this.#quick ? this.#ahead : 0) - this.scorings.size;
  }

  /** It has what work needs. */
  has(need: Need): boolean {
    if (need === 'nothing') return this.usable;
    return this.credit > 0 && (need === 'credit' || this.scorings.size < this.#concurrency);
  }

  /**
   * The scorings that it has certainly not begun, the latest first, without those that another
   * worker had before.
   */
  get notBegun(): readonly ActiveScoring[] {
    const { begun } = this.process;
    return this.scorings.items
      .filter((scoring) => !scoring.answered && !scoring.again && scoring.order > begun)
      .toSorted((one, other) => other.order - one.order);
  }

  /** A run of it may have begun and not ended: it may have the thread. */
  get mayHaveBegun(): boolean {
    const { begun } = this.process;
    return this.scorings.items.some(({ order }) => order <= begun);
  }

  /** @param written called once the kernel has the whole body, or the process is gone */
  give(scoring: ActiveScoring, written: () => void): void {
    scoring.ahead = this.scorings.size >= this.#concurrency;
    this.scorings.add(scoring.id, scoring);
    scoring.dispatchedTo(this, ++this.#given);
    this.process.score(scoring.id, scoring.request, written);
  }

  /** A run has ended. @param ms that it took; undefined: it is not known */
  ran(ms: number | undefined): void {
    this.#quick = ms !== undefined && ms < QUICK_MS;
  }

  /** A run takes long: what waited for it is given back. */
  takesLong(): void {
    this.#quick = false;
  }

  /**
   * It gives one back.
   * @throws FrameError for one that it may have begun, or was not given ahead
   */
  givesBack({ id, ahead, order, stream }: ActiveScoring): void {
    const { begun } = this.process;
    if (!ahead || stream !== undefined || (begun !== Infinity && order <= begun))
      throw new FrameError(`the request ${id} given back, which waits behind none`);
    this.takesLong();
  }

  /** Cancels a run that is overdue. Returns the time of the cancel. */
  cancelOverdue(id: number): number {
    this.#cancelledAt = performance.now();
    this.process.cancel(id);
    return this.#cancelledAt;
  }

  /** It has not reported yet how its start ended. */
  get mayReport(): boolean {
    return allows(this.#state, 'ready');
  }

  /** @throws WorkerStateError */
  ready({ concurrency, ahead = 0, closes }: ReadyMessage): Effects['ready'] {
    this.#started();
    this.#ahead = ahead;
    this.#closes = closes === true;
    this.#concurrency = concurrency;
    return this.#to('ready');
  }

  /** It cannot serve. @throws WorkerStateError */
  refuse(): Effects['refuse'] {
    this.#started();
    // An exit handler of its script may never return.
    this.process.end();
    return this.#to('refuse');
  }

  /** @throws WorkerStateError */
  retire(reason: RetireReason): Effects['retire'] {
    const effect = this.#to('retire');
    if (effect === 'replace') this.#retiredFor = reason;
    return effect;
  }

  /** The host kills it. The first reason counts. */
  end(reason: EndReason): void {
    this.#to('end');
    this.#endedFor ??= reason;
    this.process.kill();
  }

  /**
   * The host ends it in order: the process exits by itself. The first reason counts.
   * @param limitMs of the script's `close()` @param late called before it is killed for that limit
   */
  close(reason: EndReason, limitMs: number, late: (limitMs: number) => void): void {
    this.#to('end');
    this.#endedFor ??= reason;
    if (this.#closes) this.process.end(limitMs, late);
    else this.process.end();
  }

  /** @throws WorkerStateError */
  exited(): Effects['exit'] {
    clearTimeout(this.startTimer);
    clearTimeout(this.trialTimer);
    return this.#to('exit');
  }

  #started(): void {
    clearTimeout(this.startTimer);
    clearTimeout(this.trialTimer);
    this.trying = undefined;
  }

  #to<E extends WorkerEvent>(event: E): Effects[E] {
    const [next, effect] = step(this.#state, event);
    this.#state = next;
    return effect;
  }
}

export function leastLoadedOf(workers: readonly (PoolWorker | undefined)[], need: Need): PoolWorker | undefined {
  let best: PoolWorker | undefined;
  for (const worker of workers) {
    if (worker?.has(need) !== true) continue;
    if (best === undefined || isBetter(worker, best)) best = worker;
  }
  return best;
}

function isBetter(worker: PoolWorker, than: PoolWorker): boolean {
  if (worker.heldByHook !== than.heldByHook) return than.heldByHook;
  return worker.scorings.size < than.scorings.size;
}

/** Workers that serve, `run()` calls that they take, and how many more they would take now. */
export interface Capacity {
  readonly workers: number;
  readonly concurrency: number;
  readonly credits: number;
}

export function capacityOf(workers: readonly (PoolWorker | undefined)[]): Capacity {
  const sum = { workers: 0, concurrency: 0, credits: 0 };
  for (const worker of workers) {
    if (worker?.usable !== true) continue;
    sum.workers++;
    sum.concurrency += worker.concurrency;
    sum.credits += Math.max(0, worker.credit);
  }
  return sum;
}
