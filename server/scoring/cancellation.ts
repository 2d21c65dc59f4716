import type { Config } from '../config/config.ts';
import type { Log } from '../log.ts';
import type { ActiveScoring } from './active-scoring.ts';
import type { AnswerMemory } from './answer-memory.ts';
import type { PoolWorker } from './pool-worker.ts';
import type { WorkerPool } from './worker-pool.ts';

interface Parts {
  readonly limits: Pick<Config, 'cancelGraceMs' | 'debugPort'>;
  readonly pool: WorkerPool;
  readonly answers: AnswerMemory;
  readonly log: Log;
}

/** Tells workers to cancel runs, and lets those workers go whose runs do not end. */
export class Cancellation {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** If the run does not end, its worker is let go: a stuck thread at once, a live one when it holds nothing else. */
  ask(scoring: ActiveScoring): void {
    const { limits, answers, pool } = this.#parts;
    const { worker } = scoring;
    // A person at a debugger decides when a run ends.
    if (worker === undefined || !worker.held.has(scoring.id) || limits.debugPort !== 0) return;
    const asked = performance.now();
    worker.askedAt = asked;
    worker.process.cancel(scoring.id);
    setTimeout(() => {
      if (!worker.held.has(scoring.id)) return;
      // What the worker says is not read while clients owe memory: its silence means nothing.
      if (answers.pausedUntil > asked) return this.ask(scoring);
      if (worker.process.lastHeard > asked) return pool.retire(worker);
      this.#warn(scoring, worker);
      pool.kill(worker, 'deadline');
    }, limits.cancelGraceMs).unref();
  }

  #warn({ request }: ActiveScoring, worker: PoolWorker): void {
    const { limits, log } = this.#parts;
    log.warn(
      { worker: worker.number, pid: worker.process.pid, requestId: request.id, traceId: request.traceId, held: worker.held.size },
      `a worker did not react to a cancel within ${limits.cancelGraceMs} ms (CANCEL_GRACE_MS): it is killed and replaced`,
    );
  }
}
