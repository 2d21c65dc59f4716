import type { ServerError } from '../errors.ts';
import { FrameError } from '../ipc/frames.ts';
import type { ReplyHead } from '../ipc/reply-head.ts';
import type { RunTimes } from '../ipc/worker-messages.ts';
import type { ScoringTimes } from '../telemetry/spans.ts';
import type { AnswerMemory } from './answer-memory.ts';
import type { PoolWorker } from './pool-worker.ts';
import { ReplyStream } from './reply-stream.ts';
import type { ScoreReply, ScoreRequest, Scoring } from './scorer-types.ts';

/** Ends scorings early, and bounds their streams. */
export interface ScoringOwner {
  /** Longest gap in a stream; milliseconds, 0: no limit. */
  readonly streamIdleTimeoutMs: number;
  readonly answers: AnswerMemory;
  cancel(scoring: ActiveScoring): void;
  deadline(scoring: ActiveScoring): void;
  queueTimeout(scoring: ActiveScoring): void;
  /** Its stream was silent for too long. */
  stalled(scoring: ActiveScoring): void;
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
  /** The client has its answer, or has left. The run may still be under way. */
  answered = false;
  worker: PoolWorker | undefined;
  /** Its place among the requests that its worker was given. */
  order = 0;
  /** Its first worker was lost before it began. */
  again = false;
  /** It was given to a worker that had its runs, and may be given back. That happens once. */
  ahead = false;
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

  /** Starts the timers; 0 is no limit. */
  arm(deadlineMs: number, queueWaitMs: number): void {
    this.#deadlineMs = deadlineMs;
    if (deadlineMs > 0) this.#deadline = setTimeout(() => this.#owner.deadline(this), deadlineMs);
    if (queueWaitMs > 0) this.#queueTimer = setTimeout(() => this.#owner.queueTimeout(this), queueWaitMs);
  }

  dispatchedTo(worker: PoolWorker, order: number): void {
    clearTimeout(this.#queueTimer);
    this.worker = worker;
    this.order = order;
    this.#queueMs = performance.now() - this.#admitted;
  }

  /** Its worker gave it back. @param queueWaitMs since its admission; 0: no limit */
  waitsAgain(queueWaitMs: number): void {
    const left = Math.max(0, queueWaitMs - (performance.now() - this.#admitted));
    if (queueWaitMs > 0) this.#queueTimer = setTimeout(() => this.#owner.queueTimeout(this), left);
  }

  resolve(head: ReplyHead, body: ScoreReply['body']): void {
    this.answered = true;
    this.#resolve({ ...head, body, queueMs: this.#queueMs ?? 0, worker: this.worker?.number ?? 0 });
  }

  reject(error: ServerError): void {
    this.answered = true;
    this.#reject(error);
  }

  /** Answers with the error, or breaks off a stream that has begun. */
  fail(error: ServerError): void {
    if (!this.answered) this.reject(error);
    this.stream?.fail(error);
  }

  /**
   * Its answer comes as a stream. The deadline ends here.
   * @throws FrameError when it has one already
   */
  startStream(head: ReplyHead): void {
    if (this.stream !== undefined) throw new FrameError(`a second stream for the request ${this.id}`);
    if (this.answered) return;
    this.disarm();
    const stream = new ReplyStream(this.#owner.streamIdleTimeoutMs, {
      taken: (bytes) => this.worker?.process.credit(this.id, bytes),
      abandoned: (stalled) => this.#abandoned(stalled),
      held: this.#owner.answers.hold(0),
    });
    this.stream = stream;
    // After the frames that came with this one: a stream that they break off is answered as a
    // failure, before its head is out.
    process.nextTick(() => {
      if (!this.answered) this.resolve(head, stream);
    });
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

  get held(): boolean {
    return this.worker?.scorings.has(this.id) === true;
  }

  cancel(): void {
    this.#owner.cancel(this);
  }

  expire(): void {
    this.#owner.deadline(this);
  }

  /** Stops all timers. */
  disarm(): void {
    clearTimeout(this.#deadline);
    clearTimeout(this.#queueTimer);
  }

  #abandoned(stalled: boolean): void {
    this.stream = undefined;
    if (stalled) return this.#owner.stalled(this);
    // A client that leaves must not cost a worker: the run has a whole deadline to end.
    this.worker?.process.cancel(this.id);
    if (this.#deadlineMs > 0) this.#deadline = setTimeout(() => this.#owner.deadline(this), this.#deadlineMs);
    return undefined;
  }
}
