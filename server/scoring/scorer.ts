import type { Config } from '../config.ts';
import type { Found } from '../discovery.ts';
import { ServerError } from '../errors.ts';
import type { Lifecycle } from '../lifecycle.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { FailureMessage, ReadyMessage } from '../worker/protocol.ts';
import { ActiveScoring, type ScoringOwner } from './active-scoring.ts';
import type { PoolWorker } from './pool-worker.ts';
import { Queue } from './queue.ts';
import { ReplyStream } from './reply-stream.ts';
import type { Scorer, ScoreRequest, Scoring, Served } from './scorer-types.ts';
import type { PoolEvents, ReplyEvents, WorkerPool } from './worker-pool.ts';
import type { Exit, ReplyHead } from './worker-process.ts';

type Limits = Pick<
  Config,
  'queueMaxRequests' | 'queueMaxBytes' | 'queueWaitTimeoutMs' | 'scoringTimeoutMs' | 'streamIdleTimeoutMs' | 'cancelGraceMs' | 'debugPort'
>;

/** Stop 3: admits to the bounded queue, starts the deadline, dispatches, and gives every request its one answer. */
export class PoolScorer implements Scorer, ScoringOwner {
  readonly #limits: Limits;
  readonly #found: Found;
  readonly #lifecycle: Lifecycle;
  readonly #metrics: Metrics;
  readonly #queue: Queue<ActiveScoring>;
  #pool!: WorkerPool;
  #lastId = 0;
  #inFlight = 0;
  #idle: (() => void) | undefined;
  #served: Served | undefined;
  #stopped = false;

  constructor(limits: Limits, found: Found, lifecycle: Lifecycle, metrics: Metrics) {
    this.#limits = limits;
    this.#found = found;
    this.#lifecycle = lifecycle;
    this.#metrics = metrics;
    this.#queue = new Queue({ maxRequests: limits.queueMaxRequests, maxBytes: limits.queueMaxBytes });
  }

  /** The pool is made after its owner: each needs the other. */
  use(pool: WorkerPool): void {
    this.#pool = pool;
  }

  get served(): Served | undefined {
    return this.#served;
  }

  get ready(): boolean {
    return this.#pool.ready;
  }

  get healthy(): boolean {
    return this.#pool.healthy;
  }

  /** Requests waiting, requests at workers, and how many workers would take. */
  get load(): { readonly queued: number; readonly inFlight: number; readonly concurrency: number } {
    return { queued: this.#queue.length, inFlight: this.#inFlight, concurrency: this.#pool.concurrency };
  }

  admit(bytes: number): void {
    const { state } = this.#lifecycle;
    if (this.#stopped || state === 'stopped' || state === 'failed') throw new ServerError('stopping', 'The server is stopping.');
    if (this.#served === undefined) throw new ServerError('not_ready', 'The server is not ready: init() has not finished yet.');
    if (this.#queue.full && this.#pool.leastLoaded() === undefined) throw this.#queue.refusal();
    this.#queue.reserve(bytes);
  }

  grow(bytes: number): void {
    this.#queue.reserve(bytes);
  }

  release(bytes: number): void {
    this.#queue.release(bytes);
  }

  score(request: ScoreRequest): Scoring {
    this.#lastId = (this.#lastId % 0xffff_ffff) + 1;
    const scoring = new ActiveScoring(this.#lastId, request, this);
    const worker = this.#stopped || this.#queue.length > 0 ? undefined : this.#pool.leastLoaded();
    try {
      if (this.#stopped) throw new ServerError('stopping', 'The server is stopping.');
      if (worker === undefined) this.#queue.add(scoring);
    } catch (thrown) {
      this.#queue.release(request.bodyBytes);
      scoring.reject(thrown as ServerError);
      return scoring;
    }
    // A debugger may hold a script for as long as a person thinks.
    if (this.#limits.debugPort === 0)
      scoring.arm(this.#limits.scoringTimeoutMs, worker === undefined ? this.#limits.queueWaitTimeoutMs : 0);
    if (worker !== undefined) this.#dispatch(scoring, worker);
    return scoring;
  }

  /** Resolves when no request is waiting or at a worker. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#idle = resolve;
      this.#checkIdle();
    });
  }

  /** Takes nothing more and answers what is left with 503. */
  stop(): void {
    this.#stopped = true;
    const error = new ServerError('stopping', 'The server stopped before this request was done. Try again.');
    for (let scoring = this.#queue.take(); scoring !== undefined; scoring = this.#queue.take()) {
      this.#queue.release(scoring.request.bodyBytes);
      scoring.disarm();
      scoring.reject(error);
    }
  }

  // What ends a scoring early.

  cancel(scoring: ActiveScoring): void {
    if (this.#leaveQueue(scoring, new ServerError('client_gone', 'The client left before a worker was free.'))) return;
    if (scoring.answered && scoring.stream === undefined) return;
    if (!scoring.answered) scoring.reject(new ServerError('client_gone', 'The client left before the answer.'));
    scoring.worker?.process.cancel(scoring.id);
  }

  deadline(scoring: ActiveScoring): void {
    const { scoringTimeoutMs } = this.#limits;
    const error = new ServerError('deadline_exceeded', `Scoring timeout after ${scoringTimeoutMs} ms`);
    if (this.#leaveQueue(scoring, error)) return;
    if (!scoring.answered) scoring.reject(error);
    this.#cancelOrReplace(scoring);
  }

  queueTimeout(scoring: ActiveScoring): void {
    this.#leaveQueue(
      scoring,
      new ServerError('queue_timeout', `No worker was free within ${this.#limits.queueWaitTimeoutMs} ms. Try again later.`),
    );
  }

  /** Tells the worker to cancel. If that run does not end, its worker is let go: a stuck thread at once, a live one when it holds nothing else. */
  #cancelOrReplace(scoring: ActiveScoring): void {
    const { worker } = scoring;
    if (worker === undefined || !worker.held.has(scoring.id)) return;
    const asked = performance.now();
    worker.askedAt = asked;
    worker.process.cancel(scoring.id);
    setTimeout(() => {
      if (!worker.held.has(scoring.id)) return;
      if (worker.process.lastHeard > asked) this.#pool.retire(worker);
      else this.#pool.kill(worker, 'deadline');
    }, this.#limits.cancelGraceMs).unref();
  }

  #leaveQueue(scoring: ActiveScoring, error: ServerError): boolean {
    if (!this.#queue.remove(scoring)) return false;
    this.#queue.release(scoring.request.bodyBytes);
    scoring.disarm();
    scoring.reject(error);
    this.#checkIdle();
    return true;
  }

  // Dispatch.

  #dispatch(scoring: ActiveScoring, worker: PoolWorker): void {
    this.#inFlight++;
    worker.held.set(scoring.id, scoring);
    scoring.dispatchedTo(worker);
    worker.process.score(scoring.id, scoring.request, () => this.#queue.release(scoring.request.bodyBytes));
  }

  #dispatchWaiting(): void {
    while (this.#queue.length > 0) {
      const worker = this.#pool.leastLoaded();
      const scoring = worker === undefined ? undefined : this.#queue.take();
      if (worker === undefined || scoring === undefined) return;
      this.#dispatch(scoring, worker);
    }
  }

  /** The worker is done with it, whatever the client got. */
  #settle(worker: PoolWorker, id: number): ActiveScoring | undefined {
    const scoring = worker.held.get(id);
    if (scoring === undefined) return undefined;
    worker.held.delete(id);
    scoring.disarm();
    this.#inFlight--;
    if (worker.state === 'retiring') this.#pool.reap(worker);
    else this.#dispatchWaiting();
    this.#checkIdle();
    return scoring;
  }

  #checkIdle(): void {
    if (this.#inFlight === 0 && this.#queue.length === 0) this.#idle?.();
  }

  // What the pool tells.

  readonly poolEvents: Pick<PoolEvents, 'available' | 'lost'> & { ready(message: ReadyMessage): void } = {
    available: () => this.#dispatchWaiting(),
    ready: ({ rawHttp, concurrency, models }) => {
      this.#served = {
        entryScript: this.#found.entryScript,
        noCode: this.#found.kind === 'model without code',
        rawHttp,
        concurrency,
        models,
      };
    },
    lost: (worker, exit) => this.#onLost(worker, exit),
  };

  readonly replyEvents: ReplyEvents = {
    reply: (worker, id, head, body) => {
      const scoring = this.#settle(worker, id);
      if (scoring?.answered === false) scoring.resolve(head, body);
    },
    failure: (worker, id, { code, message }) => {
      const scoring = this.#settle(worker, id);
      if (scoring?.answered === false) scoring.reject(new ServerError(code, message));
    },
    stream: (worker, id, head) => this.#onStream(worker, id, head),
    chunk: (worker, id, bytes) => worker.held.get(id)?.stream?.add(bytes),
    end: (worker, id) => this.#settle(worker, id)?.stream?.finish(),
    broken: (worker, id, message) => this.#onBroken(worker, id, message),
    cancelled: () => this.#dispatchWaiting(),
  };

  #onStream(worker: PoolWorker, id: number, head: ReplyHead): void {
    const scoring = worker.held.get(id);
    if (scoring === undefined || scoring.answered) return;
    scoring.disarm();
    scoring.stream = new ReplyStream(this.#limits.debugPort === 0 ? this.#limits.streamIdleTimeoutMs : 0, {
      taken: (bytes) => worker.process.credit(id, bytes),
      abandoned: () => {
        scoring.stream = undefined;
        this.#cancelOrReplace(scoring);
      },
    });
    scoring.resolve(head, scoring.stream);
  }

  #onBroken(worker: PoolWorker, id: number, { code, message }: FailureMessage): void {
    this.#settle(worker, id)?.stream?.destroy(new ServerError(code, message));
  }

  #onLost(worker: PoolWorker, exit: Exit): void {
    const how = exit.signal === null ? `exit code ${exit.code ?? 'unknown'}` : `signal ${exit.signal}`;
    const error = this.#stopped
      ? new ServerError('stopping', 'The server stopped before this request was done. Try again.')
      : new ServerError('worker_lost', `The worker that held this request ended (${how}) and is being replaced. Try again.`);
    for (const id of [...worker.held.keys()]) {
      const scoring = this.#settle(worker, id);
      if (scoring?.answered === false) scoring.reject(error);
      scoring?.stream?.destroy(error);
    }
  }
}
