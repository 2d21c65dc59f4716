import type { Config } from '../config/config.ts';
import { ServerError } from '../errors.ts';
import { FrameError } from '../ipc/frames.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { ActiveScoring } from './active-scoring.ts';
import { AnswerMemory } from './answer-memory.ts';
import { Cancellation } from './cancellation.ts';
import type { Collecting } from './collecting.ts';
import type { PoolWorker } from './pool-worker.ts';
import { Queue } from './queue.ts';
import { Redactions } from './redactions.ts';
import { ReplyStream } from './reply-stream.ts';
import type { PoolOptions } from './pool-options.ts';
import { WorkerPool, type PoolEvents } from './worker-pool.ts';
import type { ReplyHead } from '../ipc/reply-head.ts';
import type { AnswerEvents, Exit } from './worker-process.ts';

export type DispatchLimits = Pick<
  Config,
  'queueMaxRequests' | 'queueMaxBytes' | 'bodyLimitBytes' | 'answersMaxBytes' | 'streamIdleTimeoutMs' | 'cancelGraceMs' | 'debugPort'
>;

export interface DispatchParts {
  readonly limits: DispatchLimits;
  readonly workers: PoolOptions;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Undefined: nothing is collected. */
  readonly collecting?: Collecting | undefined;
}

/** Stop 4: brings scorings to workers and their answers back; what a lost worker held is answered too. */
export class Dispatcher {
  readonly queue: Queue<ActiveScoring>;
  readonly pool: WorkerPool;
  readonly redactions: Redactions;
  readonly answers: AnswerMemory;
  readonly cancellation: Cancellation;
  readonly #limits: DispatchLimits;
  readonly #log: Log;
  readonly #collecting: Collecting | undefined;
  /** There will be no other worker for what a worker held. */
  stopping = false;
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
    this.answers = new AnswerMemory(limits.answersMaxBytes, log);
    const poolEvents: PoolEvents = {
      ...events,
      answers: this.answers,
      available: () => {
        this.#dispatchWaiting();
        this.redactions.available();
      },
      lost: (worker, exit) => this.#onLost(worker, exit),
      answersOf: (worker) => this.#answersOf(worker),
    };
    this.pool = new WorkerPool(workers, poolEvents, log, metrics);
    this.redactions = new Redactions(this.pool);
    this.cancellation = new Cancellation({ limits, pool: this.pool, answers: this.answers, log });
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

  #dispatch(scoring: ActiveScoring, worker: PoolWorker): void {
    this.#inFlight++;
    worker.held.add(scoring.id, scoring);
    scoring.dispatchedTo(worker, ++worker.given);
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
        if (worker.held.get(id)?.stream !== undefined) throw new FrameError(`a reply to the request ${id}, whose stream has begun`);
        const scoring = this.#settle(worker, id);
        if (scoring?.answered === false) scoring.resolve(head, body);
      },
      failure: (id, { code, message }) => this.#settle(worker, id)?.fail(new ServerError(code, message)),
      stream: (id, head) => this.#onStream(worker, id, head),
      chunk: (id, bytes) => worker.held.get(id)?.stream?.add(bytes),
      end: (id) => this.#onEnd(worker, id),
      broken: (id, { code, message }) => this.#settle(worker, id)?.fail(new ServerError(code, message)),
      times: (id, times) => worker.held.get(id)?.timed(times),
      cancelled: () => this.#dispatchWaiting(),
      collect: (payload) => this.#collecting?.rows(payload),
      notCollected: (all) => all.forEach(({ collection, reason, count }) => this.#collecting?.notCollected(collection, reason, count)),
      redacted: (id, payload) => this.redactions.done(worker, id, payload),
    };
  }

  #onEnd(worker: PoolWorker, id: number): void {
    const { answered, stream } = worker.held.get(id) ?? {};
    if (answered === false && stream === undefined) throw new FrameError(`the end of a stream of the request ${id}, which has none`);
    this.#settle(worker, id);
    stream?.finish();
  }

  #onStream(worker: PoolWorker, id: number, head: ReplyHead): void {
    const scoring = worker.held.get(id);
    if (scoring?.stream !== undefined) throw new FrameError(`a second stream for the request ${id}`);
    if (scoring === undefined || scoring.answered) return;
    scoring.disarm();
    const stream = new ReplyStream(this.#limits.debugPort === 0 ? this.#limits.streamIdleTimeoutMs : 0, {
      taken: (bytes) => worker.process.credit(id, bytes),
      abandoned: (stalled) => {
        scoring.stream = undefined;
        // A client that leaves costs nobody a worker: the run has a whole deadline to end.
        if (stalled) this.cancellation.ask(scoring);
        else scoring.leave();
      },
      held: this.answers.hold(0),
    });
    scoring.stream = stream;
    // After the frames that came with this one: a stream that they break off is answered as a failure, before its head is out.
    process.nextTick(() => {
      if (!scoring.answered) scoring.resolve(head, stream);
    });
  }

  #onLost(worker: PoolWorker, exit: Exit): void {
    const error = worker.lossOf(exit);
    if (!this.stopping) this.#takeBack(worker);
    for (const id of worker.held.ids) this.#settle(worker, id)?.fail(error);
    this.#dispatchWaiting();
    this.redactions.lost(worker);
  }

  /** What a lost worker had not begun waits again, before all others. */
  #takeBack(worker: PoolWorker): void {
    const { notBegun } = worker;
    for (const scoring of notBegun) {
      worker.held.take(scoring.id);
      this.#inFlight--;
      scoring.again = true;
      this.queue.putBack(scoring, scoring.request.bodyBytes);
    }
    if (notBegun.length > 0)
      this.#log.warn({ worker: worker.number, requests: notBegun.length }, 'requests that a lost worker had not begun go to another');
  }
}
