import type { Config } from '../config.ts';
import { ServerError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { FailureMessage, NotCollected } from '../worker/protocol.ts';
import type { ActiveScoring } from './active-scoring.ts';
import type { PoolWorker } from './pool-worker.ts';
import { Queue } from './queue.ts';
import { Redactions } from './redactions.ts';
import { ReplyStream } from './reply-stream.ts';
import type { PoolOptions } from './pool-options.ts';
import { WorkerPool, type PoolEvents } from './worker-pool.ts';
import type { ReplyHead } from './reply-head.ts';
import type { AnswerEvents, Exit } from './worker-process.ts';

export type DispatchLimits = Pick<
  Config,
  'queueMaxRequests' | 'queueMaxBytes' | 'bodyLimitBytes' | 'streamIdleTimeoutMs' | 'cancelGraceMs' | 'debugPort'
>;

export interface DispatchParts {
  readonly limits: DispatchLimits;
  readonly workers: PoolOptions;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Undefined: nothing is collected. */
  readonly collecting?: Collecting | undefined;
}

/** Who takes what scripts collected. */
export interface Collecting {
  /** @param payload of a `collect` frame */
  rows(payload: Buffer): void;
  notCollected(collection: string, reason: NotCollected['reason'], count: number): void;
}

/** Stop 4: brings scorings to workers and their answers back; what a lost worker held is answered too. */
export class Dispatcher {
  readonly queue: Queue<ActiveScoring>;
  readonly pool: WorkerPool;
  readonly redactions: Redactions;
  readonly #limits: DispatchLimits;
  readonly #log: Log;
  readonly #collecting: Collecting | undefined;
  #inFlight = 0;
  #idle: (() => void) | undefined;

  constructor({ limits, workers, log, metrics, collecting }: DispatchParts, events: Pick<PoolEvents, 'ready' | 'failed' | 'said'>) {
    this.#collecting = collecting;
    this.#limits = limits;
    this.#log = log;
    this.queue = new Queue({
      maxRequests: limits.queueMaxRequests,
      maxBytes: limits.queueMaxBytes,
      largestBody: limits.bodyLimitBytes,
    });
    const poolEvents: PoolEvents = {
      ...events,
      available: () => {
        this.#dispatchWaiting();
        this.redactions.available();
      },
      lost: (worker, exit) => this.#onLost(worker, exit),
      answersOf: (worker) => this.#answersOf(worker),
    };
    this.pool = new WorkerPool(workers, poolEvents, log, metrics);
    this.redactions = new Redactions(this.pool);
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Resolves when no request is waiting or at a worker. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#idle = resolve;
      this.#checkIdle();
    });
  }

  /**
   * To a worker with room, else into the queue. Answers false when it waits.
   * @throws ServerError queue_full
   */
  place(scoring: ActiveScoring): boolean {
    const worker = this.queue.length > 0 ? undefined : this.pool.leastLoaded();
    if (worker === undefined) this.queue.add(scoring);
    else this.#dispatch(scoring, worker);
    return worker !== undefined;
  }

  /** Takes a scoring out of the queue and answers it with the error. False: it was not there. */
  leaveQueue(scoring: ActiveScoring, error: ServerError): boolean {
    if (!this.queue.remove(scoring)) return false;
    this.queue.release(scoring.request.bodyBytes);
    scoring.disarm();
    scoring.reject(error);
    this.#checkIdle();
    return true;
  }

  /** Tells the worker to cancel. If that run does not end, its worker is let go: a stuck thread at once, a live one when it holds nothing else. */
  cancelOrReplace(scoring: ActiveScoring): void {
    const { worker } = scoring;
    // A person at a debugger decides when a run ends.
    if (worker === undefined || !worker.held.has(scoring.id) || this.#limits.debugPort !== 0) return;
    const asked = performance.now();
    worker.askedAt = asked;
    worker.process.cancel(scoring.id);
    setTimeout(() => {
      if (!worker.held.has(scoring.id)) return;
      if (worker.process.lastHeard > asked) this.pool.retire(worker);
      else {
        const { cancelGraceMs } = this.#limits;
        this.#log.warn(
          {
            worker: worker.number,
            pid: worker.process.pid,
            requestId: scoring.request.id,
            traceId: scoring.request.traceId,
            held: worker.held.size,
          },
          `a worker did not react to a cancel within ${cancelGraceMs} ms (CANCEL_GRACE_MS): it is killed and replaced`,
        );
        this.pool.kill(worker, 'deadline');
      }
    }, this.#limits.cancelGraceMs).unref();
  }

  #dispatch(scoring: ActiveScoring, worker: PoolWorker): void {
    this.#inFlight++;
    worker.held.add(scoring.id, scoring);
    scoring.dispatchedTo(worker);
    worker.process.score(scoring.id, scoring.request, () => this.queue.release(scoring.request.bodyBytes));
  }

  #dispatchWaiting(): void {
    while (this.queue.length > 0) {
      const worker = this.pool.leastLoaded();
      const scoring = worker === undefined ? undefined : this.queue.take();
      if (worker === undefined || scoring === undefined) return;
      this.#dispatch(scoring, worker);
    }
  }

  /** The worker is done with it, whatever the client got. */
  #settle(worker: PoolWorker, id: number): ActiveScoring | undefined {
    const scoring = worker.held.take(id);
    if (scoring === undefined) return undefined;
    scoring.disarm();
    this.#inFlight--;
    if (worker.state === 'retiring') this.pool.reap(worker);
    else this.#dispatchWaiting();
    this.#checkIdle();
    return scoring;
  }

  #checkIdle(): void {
    if (this.#inFlight === 0 && this.queue.length === 0) this.#idle?.();
  }

  #answersOf(worker: PoolWorker): AnswerEvents {
    return {
      reply: (id, head, body) => {
        const scoring = this.#settle(worker, id);
        if (scoring?.answered === false) scoring.resolve(head, body);
      },
      failure: (id, { code, message }) => {
        const scoring = this.#settle(worker, id);
        if (scoring?.answered === false) scoring.reject(new ServerError(code, message));
      },
      stream: (id, head) => this.#onStream(worker, id, head),
      chunk: (id, bytes) => worker.held.get(id)?.stream?.add(bytes),
      end: (id) => this.#settle(worker, id)?.stream?.finish(),
      broken: (id, message) => this.#onBroken(worker, id, message),
      times: (id, times) => worker.held.get(id)?.timed(times),
      cancelled: () => this.#dispatchWaiting(),
      collect: (payload) => this.#collecting?.rows(payload),
      notCollected: (all) => all.forEach(({ collection, reason, count }) => this.#collecting?.notCollected(collection, reason, count)),
      redacted: (id, payload) => this.redactions.done(id, payload),
    };
  }

  #onStream(worker: PoolWorker, id: number, head: ReplyHead): void {
    const scoring = worker.held.get(id);
    if (scoring === undefined || scoring.answered) return;
    scoring.disarm();
    scoring.stream = new ReplyStream(this.#limits.debugPort === 0 ? this.#limits.streamIdleTimeoutMs : 0, {
      taken: (bytes) => worker.process.credit(id, bytes),
      abandoned: (stalled) => {
        scoring.stream = undefined;
        // A client that leaves costs nobody a worker: the run has a whole deadline to end.
        if (stalled) this.cancelOrReplace(scoring);
        else scoring.leave();
      },
    });
    scoring.resolve(head, scoring.stream);
  }

  #onBroken(worker: PoolWorker, id: number, { code, message }: FailureMessage): void {
    this.#settle(worker, id)?.stream?.destroy(new ServerError(code, message));
  }

  #onLost(worker: PoolWorker, { code, signal }: Exit): void {
    const how = signal === null ? `exit code ${code ?? 'unknown'}` : `signal ${signal}`;
    const error =
      worker.endedFor === 'stop'
        ? new ServerError('stopping', 'The server stopped before this request was done. Try again.')
        : new ServerError('worker_lost', `The worker that held this request ended (${how}) and is being replaced. Try again.`);
    for (const id of worker.held.ids) {
      const scoring = this.#settle(worker, id);
      if (scoring?.answered === false) scoring.reject(error);
      scoring?.stream?.destroy(error);
    }
    this.redactions.lost(worker);
  }
}
