import type { Config } from '../config/config.ts';
import type { Found } from '../config/discovery.ts';
import { ServerError, toServerError } from '../errors.ts';
import type { Lifecycle } from '../lifecycle.ts';
import type { RedactableBody } from '../ipc/redaction.ts';
import type { ReadyMessage } from '../ipc/worker-messages.ts';
import { ActiveScoring, type ScoringOwner } from './active-scoring.ts';
import { Dispatcher, type DispatchLimits, type DispatchParts } from './dispatcher.ts';
import type { BodySize } from './queue.ts';
import type { Redactions } from './redactions.ts';
import type { Scorer, ScoreRequest, Scoring, Served } from './scorer-types.ts';
import type { Capacity } from './pool-worker.ts';
import type { PoolEvents } from './worker-pool.ts';

interface Parts extends DispatchParts {
  readonly limits: DispatchLimits & Pick<Config, 'queueWaitTimeoutMs' | 'scoringTimeoutMs'>;
  readonly found: Found;
  readonly lifecycle: Lifecycle;
}

/** Stop 3: admits to the bounded queue, starts the deadline, and gives every request its one answer. */
export class PoolScorer implements Scorer, ScoringOwner {
  readonly #parts: Parts;
  readonly #dispatcher: Dispatcher;
  #lastId = 0;
  #served: Served | undefined;
  #stopped = false;
  /** Ends the making of a plan. */
  readonly #planning = new AbortController();
  readonly #failed: PoolEvents['failed'];

  constructor(parts: Parts, events: Pick<PoolEvents, 'ready' | 'failed' | 'said'>) {
    this.#parts = parts;
    this.#failed = events.failed;
    const ready = (message: ReadyMessage): void => {
      this.#served = { entryScript: parts.found.entryScript, noCode: parts.found.kind === 'model without code', ...message };
      events.ready(message);
    };
    this.#dispatcher = new Dispatcher(parts, { ...events, ready });
  }

  /** Starts the workers; a failure is told to the owner. */
  async start(): Promise<void> {
    try {
      this.#dispatcher.pool.start(await this.#parts.workers.plan(this.#planning.signal));
    } catch (thrown) {
      if (!this.#stopped) this.#failed(toServerError(thrown));
    }
  }

  get served(): Served | undefined {
    return this.#served;
  }

  get answers(): Dispatcher['answers'] {
    return this.#dispatcher.answers;
  }

  get ready(): boolean {
    return this.#dispatcher.pool.ready;
  }

  get healthy(): boolean {
    return this.#dispatcher.pool.healthy;
  }

  /** Requests waiting, requests at workers, and what workers can take. */
  get load(): { readonly queued: number; readonly inFlight: number } & Capacity {
    const { queue, pool, inFlight } = this.#dispatcher;
    return { queued: queue.length, inFlight, ...pool.capacity };
  }

  admit(bytes: number, declared = bytes): void {
    const { state } = this.#parts.lifecycle;
    if (this.#stopped || state === 'stopped' || state === 'failed') throw new ServerError('stopping', 'The server is stopping.');
    if (this.#served === undefined) throw new ServerError('not_ready', 'The server is not ready: init() has not finished yet.');
    const { queue, pool } = this.#dispatcher;
    if (queue.full && pool.leastLoaded() === undefined) throw queue.refusal();
    queue.check(declared);
    queue.reserve(bytes);
  }

  grow(bytes: number, size?: BodySize): void {
    this.#dispatcher.queue.reserve(bytes, size);
  }

  release(bytes: number): void {
    this.#dispatcher.queue.release(bytes);
  }

  score(request: ScoreRequest): Scoring {
    this.#lastId = (this.#lastId % 0xffff_ffff) + 1;
    const scoring = new ActiveScoring(this.#lastId, request, this);
    try {
      if (this.#stopped) throw new ServerError('stopping', 'The server is stopping.');
      const dispatched = this.#dispatcher.place(scoring);
      const { debugPort, scoringTimeoutMs, queueWaitTimeoutMs } = this.#parts.limits;
      // A debugger may hold a script for as long as a person thinks.
      if (debugPort === 0) scoring.arm(scoringTimeoutMs, dispatched ? 0 : queueWaitTimeoutMs);
    } catch (thrown) {
      this.release(request.bodyBytes);
      scoring.reject(toServerError(thrown));
    }
    return scoring;
  }

  /** Has the script's hook redact bodies that are about to be collected. Never rejects. */
  redact(id: string, bodies: readonly RedactableBody[]): ReturnType<Redactions['redact']> {
    return this.#dispatcher.redactions.redact(id, bodies);
  }

  /** Resolves when no request is waiting or at a worker. */
  idle(): Promise<void> {
    return this.#dispatcher.idle();
  }

  /** Takes nothing more, answers what is left with 503, and resolves when the workers are gone. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#planning.abort();
    const { queue, pool } = this.#dispatcher;
    this.#dispatcher.stopping = true;
    const error = new ServerError('stopping', 'The server stopped before this request was done. Try again.');
    for (let scoring = queue.oldest; scoring !== undefined; scoring = queue.oldest) this.#dispatcher.leaveQueue(scoring, error);
    this.#dispatcher.redactions.stop();
    await pool.stop();
  }

  /** Ends every worker at once. */
  kill(): void {
    this.#stopped = true;
    this.#planning.abort();
    this.#dispatcher.stopping = true;
    this.#dispatcher.pool.killAll();
  }

  cancel(scoring: ActiveScoring): void {
    if (this.#dispatcher.leaveQueue(scoring, new ServerError('client_gone', 'The client left before a worker was free.'))) return;
    if (scoring.answered && scoring.stream === undefined) return;
    if (!scoring.answered) scoring.reject(new ServerError('client_gone', 'The client left before the answer.'));
    scoring.worker?.process.cancel(scoring.id);
  }

  deadline(scoring: ActiveScoring): void {
    const error = new ServerError('deadline_exceeded', `Scoring timeout after ${this.#parts.limits.scoringTimeoutMs} ms`);
    if (this.#dispatcher.leaveQueue(scoring, error)) return;
    if (!scoring.answered) scoring.reject(error);
    this.#dispatcher.cancellation.ask(scoring);
  }

  queueTimeout(scoring: ActiveScoring): void {
    const { queueWaitTimeoutMs } = this.#parts.limits;
    this.#dispatcher.leaveQueue(
      scoring,
      new ServerError('queue_timeout', `No worker was free within ${queueWaitTimeoutMs} ms. Try again later.`),
    );
  }
}
