import { ServerError } from '../errors.ts';
import type { OutputLine } from '../guards/output-lines.ts';
import { FrameError } from '../ipc/frames.ts';
import type { ReplyHead } from '../ipc/reply-head.ts';
import type {
  FailureMessage,
  LogMessage,
  NotCollected,
  ReadyMessage,
  RunTimes,
  ServedModel,
  TryingMessage,
} from '../ipc/worker-messages.ts';
import type { MetricsMessage } from '../ipc/metric-series.ts';
import type { ActiveScoring } from './active-scoring.ts';
import type { Collecting } from './collecting.ts';
import type { PoolWorker } from './pool-worker.ts';
import type { Redactions } from './redactions.ts';
import type { Exit, ProcessListener } from './worker-process.ts';
import type { WorkerReports } from './worker-reports.ts';
import type { Effects } from './worker-states.ts';

/** The pool, as its workers use it: it carries out the effects of worker-states.ts. */
export interface WorkerKeeper {
  readonly reports: WorkerReports;
  serve(worker: PoolWorker, message: ReadyMessage): void;
  /** @param model that the worker runs on made-up inputs; undefined: that is done */
  tries(worker: PoolWorker, model: string | undefined): void;
  fail(worker: PoolWorker, error: ServerError): void;
  broke(worker: PoolWorker, why: string): void;
  exited(worker: PoolWorker, exit: Exit, effect: Effects['exit']): void;
}

/** The scorer, as workers and their pool use it. */
export interface ScoringSource {
  readonly redactions: Redactions;
  /** Undefined: nothing is collected. */
  readonly collecting: Collecting | undefined;
  /**
   * A worker is done with a scoring, whatever the client got. Undefined: it does not hold that one.
   */
  settle(worker: PoolWorker, id: number): ActiveScoring | undefined;
  /** A worker gives a scoring back that it has not begun. */
  returned(worker: PoolWorker, id: number): void;
  /** A worker may have credit again. */
  dispatchWaiting(): void;
  /** A worker began to serve. */
  available(): void;
  /** A worker is gone: its scorings need their answers, or another worker. */
  lost(worker: PoolWorker, exit: Exit): void;
}

/**
 * Receives the frames of one worker, whose payloads ipc/ has checked: answers go to the scorings
 * that it holds, reports to the pool.
 */
export class WorkerListener implements ProcessListener {
  readonly #worker: PoolWorker;
  readonly #keeper: WorkerKeeper;
  readonly #source: ScoringSource;

  constructor(worker: PoolWorker, keeper: WorkerKeeper, source: ScoringSource) {
    this.#worker = worker;
    this.#keeper = keeper;
    this.#source = source;
  }

  log(message: LogMessage): void {
    this.#keeper.reports.line(this.#worker, message);
  }

  output(stream: 'stdout' | 'stderr', line: OutputLine): void {
    this.#keeper.reports.output(this.#worker, stream, line);
  }

  broke(why: string): void {
    this.#keeper.broke(this.#worker, why);
  }

  exit(exit: Exit): void {
    this.#keeper.exited(this.#worker, exit, this.#worker.exited());
  }

  reply(id: number, head: ReplyHead, body: Buffer): void {
    if (this.#worker.scorings.get(id)?.stream !== undefined) throw new FrameError(`a reply to the request ${id}, whose stream has begun`);
    this.#worker.ran(head.runMs);
    const scoring = this.#source.settle(this.#worker, id);
    if (scoring?.answered === false) scoring.resolve(head, body);
  }

  stream(id: number, head: ReplyHead): void {
    this.#worker.takesLong();
    this.#worker.scorings.get(id)?.startStream(head);
  }

  chunk(id: number, bytes: Buffer): void {
    this.#worker.scorings.get(id)?.stream?.add(bytes);
  }

  end(id: number): void {
    const { answered, stream } = this.#worker.scorings.get(id) ?? {};
    if (answered === false && stream === undefined) throw new FrameError(`the end of a stream of the request ${id}, which has none`);
    this.#source.settle(this.#worker, id);
    stream?.finish();
  }

  failure(id: number, { code, message }: FailureMessage): void {
    this.#source.settle(this.#worker, id)?.fail(new ServerError(code, message));
  }

  broken(id: number, message: FailureMessage): void {
    this.failure(id, message);
  }

  times(id: number, times: RunTimes): void {
    this.#worker.scorings.get(id)?.timed(times);
  }

  cancelled(): void {
    this.#source.dispatchWaiting();
  }

  returned(id: number): void {
    const scoring = this.#worker.scorings.get(id);
    if (scoring === undefined) throw new FrameError(`the request ${id} given back, which it does not hold`);
    this.#worker.givesBack(scoring);
    this.#source.returned(this.#worker, id);
  }

  ready(message: ReadyMessage): void {
    this.#checkStarting('a second report of how its start ended');
    this.#worker.ready(message);
    this.#keeper.serve(this.#worker, message);
  }

  startFailed({ code, message }: FailureMessage): void {
    this.#checkStarting('a second report of how its start ended');
    this.#worker.refuse();
    this.#keeper.fail(this.#worker, new ServerError(code, message));
  }

  loaded(model: ServedModel): void {
    this.#keeper.reports.loaded(this.#worker, model);
  }

  trying({ model }: TryingMessage): void {
    this.#checkStarting('a trial of made-up inputs after its start');
    this.#keeper.tries(this.#worker, model);
  }

  metrics(message: MetricsMessage): void {
    this.#keeper.reports.metrics(this.#worker, message);
  }

  collect(payload: Buffer): void {
    this.#source.collecting?.rows(payload);
  }

  notCollected(all: readonly NotCollected[]): void {
    for (const { collection, reason, count } of all) this.#source.collecting?.notCollected(collection, reason, count);
  }

  redacted(id: number, payload: Buffer): void {
    this.#source.redactions.done(this.#worker, id, payload);
  }

  #checkStarting(what: string): void {
    if (!this.#worker.mayReport) throw new FrameError(what);
  }
}
