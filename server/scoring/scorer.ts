import type { Found } from '../config/discovery.ts';
import { ServerError, toServerError } from '../errors.ts';
import type { Lifecycle } from '../lifecycle.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { ActiveScoring } from './active-scoring.ts';
import { AnswerMemory } from './answer-memory.ts';
import { Cancellation } from './cancellation.ts';
import type { Collecting } from './collecting.ts';
import type { ScorerLimits } from './limits.ts';
import type { PoolOptions } from './pool-options.ts';
import type { Capacity, PoolWorker } from './pool-worker.ts';
import { type BodySize, Queue } from './queue.ts';
import { Redactions } from './redactions.ts';
import type { Scorer, ScoreRequest, Scoring, Served } from './scorer-types.ts';
import { lossOf } from './worker-endings.ts';
import type { ScoringSource } from './worker-listener.ts';
import { WorkerPool, type PoolEvents } from './worker-pool.ts';
import type { Exit } from './worker-process.ts';

const GIVEN_TO_ANOTHER = 'requests that a lost worker had not begun go to another';

export interface ScorerSettings {
  readonly limits: ScorerLimits;
  readonly workers: PoolOptions;
  readonly found: Found;
  readonly lifecycle: Lifecycle;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Undefined: nothing is collected. */
  readonly collecting?: Collecting | undefined;
}

/**
 * Stops 3 and 4: admits to the bounded queue, starts the deadline, brings scorings to workers, and
 * gives each its one answer. What a lost worker held is answered, or goes to another worker.
 */
export class PoolScorer implements Scorer, ScoringSource {
  readonly #settings: ScorerSettings;
  readonly #queue: Queue<ActiveScoring>;
  readonly #pool: WorkerPool;
  readonly #cancellation: Cancellation;
  readonly redactions: Redactions;
  readonly collecting: Collecting | undefined;
  readonly answers: AnswerMemory;
  #lastId = 0;
  #served: Served | undefined;
  #stopped = false;
  /** At workers. */
  #inFlight = 0;
  #idle: (() => void) | undefined;

  constructor(settings: ScorerSettings, events: PoolEvents) {
    this.#settings = settings;
    const { limits, found, log, metrics } = settings;
    this.collecting = settings.collecting;
    this.#queue = new Queue({ maxRequests: limits.queueMaxRequests, maxBytes: limits.queueMaxBytes, largestBody: limits.bodyLimitBytes });
    this.answers = new AnswerMemory(limits.answersMaxBytes, log);
    const ready: PoolEvents['ready'] = (message) => {
      this.#served = { entryScript: found.entryScript, noCode: found.kind === 'model without code', ...message };
      events.ready(message);
    };
    this.#pool = new WorkerPool({
      options: settings.workers,
      events: { ...events, ready },
      source: this,
      answers: this.answers,
      log,
      metrics,
    });
    this.redactions = new Redactions({ pool: this.#pool, answers: this.answers, log, limitMs: limits.redactTimeoutMs });
    const leaveQueue = (scoring: ActiveScoring, error: ServerError): boolean => this.#leaveQueue(scoring, error);
    this.#cancellation = new Cancellation({ limits, pool: this.#pool, answers: this.answers, log, leaveQueue });
  }

  /** Starts the workers. Failures go to `failed`. */
  start(): Promise<void> {
    return this.#pool.start();
  }

  get served(): Served | undefined {
    return this.#served;
  }

  get concurrency(): number {
    return this.#pool.capacity.concurrency;
  }

  get ready(): boolean {
    return this.#pool.ready;
  }

  get healthy(): boolean {
    return this.#pool.healthy;
  }

  /** Requests waiting, requests at workers, and what workers can take. */
  get load(): { readonly queued: number; readonly inFlight: number } & Capacity {
    return { queued: this.#queue.length, inFlight: this.#inFlight, ...this.#pool.capacity };
  }

  /** Milliseconds since the oldest request that waits for a worker was admitted; 0: none waits. */
  get oldestWaitingMs(): number {
    return this.#queue.length === 0 ? 0 : performance.now() - oldestOf(this.#queue.items);
  }

  admit(bytes: number, declared = bytes): void {
    const { state } = this.#settings.lifecycle;
    if (this.#stopped || state === 'stopped' || state === 'failed') throw new ServerError('stopping', 'The server is stopping.');
    if (this.#served === undefined)
      throw new ServerError('not_ready', 'The server is not ready: its workers have not finished their start yet.');
    if (this.#queue.full && this.#pool.leastLoaded() === undefined) throw this.#queue.refusal();
    this.#queue.check(declared);
    this.#queue.reserve(bytes);
  }

  grow(bytes: number, size?: BodySize, held?: number): void {
    this.#queue.reserve(bytes, size, held);
  }

  release(bytes: number): void {
    this.#queue.release(bytes);
  }

  score(request: ScoreRequest): Scoring {
    this.#lastId = (this.#lastId % 0xffff_ffff) + 1;
    const scoring = new ActiveScoring(this.#lastId, request, this.#cancellation);
    try {
      if (this.#stopped) throw new ServerError('stopping', 'The server is stopping.');
      if (request.deadline?.passed === true) throw request.deadline.error;
      const worker = this.#queue.length > 0 ? undefined : this.#pool.leastLoaded();
      if (worker === undefined) this.#queue.add(scoring);
      else this.#dispatch(scoring, worker);
      const { scoringTimeoutMs, queueWaitTimeoutMs } = this.#settings.limits;
      scoring.arm(scoringTimeoutMs, worker === undefined ? queueWaitTimeoutMs : 0);
    } catch (thrown) {
      this.release(request.bodyBytes);
      scoring.reject(toServerError(thrown));
    }
    return scoring;
  }

  /** Resolves when no request is waiting or at a worker. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#idle = resolve;
      this.#checkIdle();
    });
  }

  /**
   * Takes nothing more, answers what is left with 503, and resolves when the workers are gone.
   * @param closeMs limit of the script's `close()`
   */
  async stop(closeMs?: number): Promise<void> {
    this.#stopped = true;
    const error = stopping();
    for (let scoring = this.#queue.oldest; scoring !== undefined; scoring = this.#queue.oldest) this.#leaveQueue(scoring, error);
    this.redactions.stop();
    await this.#pool.stop(closeMs);
  }

  /** Ends every worker at once. */
  kill(): void {
    this.#stopped = true;
    this.#pool.killAll();
  }

  dispatchWaiting(): void {
    while (this.#queue.length > 0) {
      const scoring = this.#queue.oldest;
      // One that has lost its place once waits behind no run again: none loses it for ever.
      const worker = this.#pool.leastLoaded(scoring?.ahead === true || scoring?.again === true ? 'run' : 'credit');
      if (worker === undefined || scoring === undefined) return;
      const { deadline } = scoring.request;
      // Its timer may be late.
      if (deadline?.passed === true) this.#leaveQueue(scoring, deadline.error);
      else this.#dispatch(this.#queue.take() ?? scoring, worker);
    }
  }

  available(): void {
    this.dispatchWaiting();
    this.redactions.available();
  }

  settle(worker: PoolWorker, id: number): ActiveScoring | undefined {
    const scoring = worker.scorings.take(id);
    if (scoring === undefined) return undefined;
    scoring.disarm();
    this.#inFlight--;
    if (worker.state === 'retiring') this.#pool.reap(worker);
    else this.dispatchWaiting();
    this.#checkIdle();
    return scoring;
  }

  returned(worker: PoolWorker, id: number): void {
    const scoring = worker.scorings.get(id);
    if (scoring === undefined || scoring.answered || this.#stopped) return this.settle(worker, id)?.fail(stopping());
    this.#takeBack(worker, [scoring]);
    scoring.waitsAgain(this.#settings.limits.queueWaitTimeoutMs);
    if (worker.state === 'retiring') this.#pool.reap(worker);
    return this.dispatchWaiting();
  }

  lost(worker: PoolWorker, exit: Exit): void {
    const error = lossOf(worker, exit);
    const notBegun = this.#stopped ? [] : worker.notBegun;
    for (const scoring of notBegun) scoring.again = true;
    this.#takeBack(worker, notBegun);
    if (notBegun.length > 0) this.#settings.log.warn({ worker: worker.number, requests: notBegun.length }, GIVEN_TO_ANOTHER);
    for (const id of worker.scorings.ids) this.settle(worker, id)?.fail(error);
    this.dispatchWaiting();
    this.redactions.lost(worker);
  }

  #dispatch(scoring: ActiveScoring, worker: PoolWorker): void {
    this.#inFlight++;
    worker.give(scoring, () => this.#queue.release(scoring.request.bodyBytes));
  }

  /** Takes a scoring out of the queue and answers it with the error. False: it was not there. */
  #leaveQueue(scoring: ActiveScoring, error: ServerError): boolean {
    if (!this.#queue.remove(scoring)) return false;
    this.#queue.release(scoring.request.bodyBytes);
    scoring.disarm();
    scoring.reject(error);
    this.#checkIdle();
    return true;
  }

  /**
   * Scorings that a worker has not begun wait again, before all others.
   * @param scorings the latest first
   */
  #takeBack(worker: PoolWorker, scorings: readonly ActiveScoring[]): void {
    for (const scoring of scorings) {
      worker.scorings.take(scoring.id);
      this.#inFlight--;
      this.#queue.putBack(scoring, scoring.request.bodyBytes);
    }
  }

  #checkIdle(): void {
    if (this.#inFlight === 0 && this.#queue.length === 0) this.#idle?.();
  }
}

/** When the first of them was admitted. */
function oldestOf(waiting: readonly ActiveScoring[]): number {
  let admittedAt = Infinity;
  for (const { times, again } of waiting) {
    admittedAt = Math.min(times.admittedAt, admittedAt);
    // Those that come after have waited less: only what lost workers held stands before all.
    if (!again) break;
  }
  return admittedAt;
}

function stopping(): ServerError {
  return new ServerError('stopping', 'The server stopped before this request was done. Try again.');
}
