import { ServerError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { ActiveScoring, ScoringOwner } from './active-scoring.ts';
import type { AnswerMemory } from './answer-memory.ts';
import type { ScorerLimits } from './limits.ts';
import type { PoolWorker } from './pool-worker.ts';
import type { WorkerPool } from './worker-pool.ts';

interface CancellationSettings {
  readonly limits: ScorerLimits;
  readonly pool: WorkerPool;
  readonly answers: AnswerMemory;
  readonly log: Log;
  /** Takes a scoring out of the queue and answers it with the error. False: it was not there. */
  readonly leaveQueue: (scoring: ActiveScoring, error: ServerError) => boolean;
}

/**
 * Ends scorings whose client has left or whose time is over, and the workers whose runs ignore
 * that.
 */
export class Cancellation implements ScoringOwner {
  readonly #settings: CancellationSettings;
  readonly streamIdleTimeoutMs: number;
  readonly answers: AnswerMemory;

  constructor(settings: CancellationSettings) {
    this.#settings = settings;
    this.streamIdleTimeoutMs = settings.limits.streamIdleTimeoutMs;
    this.answers = settings.answers;
  }

  cancel(scoring: ActiveScoring): void {
    if (this.#settings.leaveQueue(scoring, new ServerError('client_gone', 'The client left before a worker was free.'))) return;
    if (scoring.answered && scoring.stream === undefined) return;
    if (!scoring.answered) scoring.reject(new ServerError('client_gone', 'The client left before the answer.'));
    scoring.worker?.process.cancel(scoring.id);
  }

  deadline(scoring: ActiveScoring): void {
    const { limits, leaveQueue } = this.#settings;
    const error = new ServerError('deadline_exceeded', `Scoring timeout after ${limits.scoringTimeoutMs} ms`);
    if (leaveQueue(scoring, error)) return;
    if (!scoring.answered) scoring.reject(error);
    this.stalled(scoring);
  }

  queueTimeout(scoring: ActiveScoring): void {
    const { limits, leaveQueue } = this.#settings;
    leaveQueue(scoring, new ServerError('queue_timeout', `No worker was free within ${limits.queueWaitTimeoutMs} ms. Try again later.`));
  }

  /**
   * Cancels its run. If the run does not end in time, its worker retires, or is killed where its
   * thread is stuck.
   */
  stalled(scoring: ActiveScoring): void {
    const { worker } = scoring;
    if (worker === undefined || !worker.scorings.has(scoring.id)) return;
    const cancelledAt = worker.cancelOverdue(scoring.id);
    setTimeout(() => this.#check(scoring, worker, cancelledAt), this.#settings.limits.cancelGraceMs).unref();
  }

  #check(scoring: ActiveScoring, worker: PoolWorker, cancelledAt: number): void {
    const { answers, pool } = this.#settings;
    if (!worker.scorings.has(scoring.id)) return;
    // Pipes are left unread while clients owe memory: then the silence of a worker means nothing.
    if (answers.pausedUntil > cancelledAt) return this.stalled(scoring);
    if (worker.process.lastReadAt > cancelledAt) return pool.retire(worker, 'deadline');
    this.#warn(scoring, worker);
    pool.end(worker, 'deadline');
  }

  #warn({ request }: ActiveScoring, worker: PoolWorker): void {
    const { limits, log } = this.#settings;
    log.warn(
      { worker: worker.number, pid: worker.process.pid, requestId: request.id, traceId: request.traceId, held: worker.scorings.size },
      `a worker did not react to a cancel within ${limits.cancelGraceMs} ms (CANCEL_GRACE_MS): it is killed and replaced`,
    );
  }
}
