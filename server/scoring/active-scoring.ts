import type { ServerError } from '../errors.ts';
import type { RunTimes } from '../ipc/worker-messages.ts';
import type { ScoringTimes } from '../telemetry/spans.ts';
import type { PoolWorker } from './pool-worker.ts';
import type { ReplyStream } from './reply-stream.ts';
import type { ReplyHead } from '../ipc/reply-head.ts';
import type { ScoreReply, ScoreRequest, Scoring } from './scorer-types.ts';

/** What a scoring needs of the scorer. */
export interface ScoringOwner {
  cancel(scoring: ActiveScoring): void;
  deadline(scoring: ActiveScoring): void;
  queueTimeout(scoring: ActiveScoring): void;
}

/** One scoring request from admission to its one answer. */
export class ActiveScoring implements Scoring {
  readonly id: number;
  readonly request: ScoreRequest;
  readonly reply: Promise<ScoreReply>;
  readonly #owner: ScoringOwner;
  readonly #admitted = performance.now();
  #resolve!: (reply: ScoreReply) => void;
  #reject!: (error: ServerError) => void;
  #deadline: NodeJS.Timeout | undefined;
  #queueTimer: NodeJS.Timeout | undefined;
  #queueMs: number | undefined;
  #run: RunTimes | undefined;
  #deadlineMs = 0;
  /** The client has its answer, or does not want one any more; the worker may still be at it. */
  answered = false;
  worker: PoolWorker | undefined;
  /** Which of the requests that its worker was given. */
  order = 0;
  /** Its first worker was lost before it began. */
  again = false;
  stream: ReplyStream | undefined;

  constructor(id: number, request: ScoreRequest, owner: ScoringOwner) {
    this.id = id;
    this.request = request;
    this.#owner = owner;
    this.reply = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Starts the clocks; 0 is no limit. */
  arm(deadlineMs: number, queueWaitMs: number): void {
    this.#deadlineMs = deadlineMs;
    if (deadlineMs > 0) this.#deadline = setTimeout(() => this.#owner.deadline(this), deadlineMs);
    if (queueWaitMs > 0) this.#queueTimer = setTimeout(() => this.#owner.queueTimeout(this), queueWaitMs);
  }

  /** Answers milliseconds since admission. */
  dispatchedTo(worker: PoolWorker, order: number): number {
    clearTimeout(this.#queueTimer);
    this.worker = worker;
    this.order = order;
    const queueMs = performance.now() - this.#admitted;
    this.#queueMs = queueMs;
    return queueMs;
  }

  resolve(head: ReplyHead, body: ScoreReply['body']): void {
    this.answered = true;
    this.#resolve({ ...head, body, queueMs: this.#queueMs ?? 0, worker: this.worker?.number ?? 0 });
  }

  reject(error: ServerError): void {
    this.answered = true;
    this.#reject(error);
  }

  /** Answers with the error, or breaks off what has been answered in part. */
  fail(error: ServerError): void {
    if (!this.answered) this.reject(error);
    this.stream?.fail(error);
  }

  timed(run: RunTimes): void {
    this.#run = run;
  }

  get times(): ScoringTimes {
    return { admittedAt: this.#admitted, queueMs: this.#queueMs, run: this.#run };
  }

  get workerNumber(): number | undefined {
    return this.worker?.number;
  }

  cancel(): void {
    this.#owner.cancel(this);
  }

  /** The client has left a stream: the worker is told, and has a whole deadline to end the run. */
  leave(): void {
    this.worker?.process.cancel(this.id);
    if (this.#deadlineMs > 0) this.#deadline = setTimeout(() => this.#owner.deadline(this), this.#deadlineMs);
  }

  /** No clock runs any more. */
  disarm(): void {
    clearTimeout(this.#deadline);
    clearTimeout(this.#queueTimer);
  }
}
