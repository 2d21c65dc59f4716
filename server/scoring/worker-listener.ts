import { ServerError } from '../errors.ts';
import type { OutputLine } from '../guards/output-lines.ts';
import { FrameError } from '../ipc/frames.ts';
import { Kind, type LogMessage, type ReadyMessage } from '../ipc/protocol.ts';
import { readHead } from '../ipc/reply-head.ts';
import { checkCollect, messages } from '../ipc/worker-messages.ts';
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
  /** A worker may have credit again. */
  dispatchWaiting(): void;
  /** A worker began to serve. */
  available(): void;
  /** A worker is gone: its scorings need their answers, or another worker. */
  lost(worker: PoolWorker, exit: Exit): void;
}

/**
 * Takes what one worker sends: answers go to the scorings that it holds, reports to the pool. Each
 * payload is checked before a scoring is taken out: a wrong one must leave it to `lost`, which
 * answers it.
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

  frame(id: number, kind: number, payload: Buffer): void {
    switch (kind) {
      case Kind.reply:
        return this.#reply(id, payload);
      case Kind.stream:
        return this.#stream(id, payload);
      case Kind.chunk:
        return this.#worker.scorings.get(id)?.stream?.add(payload);
      case Kind.end:
        return this.#end(id);
      case Kind.failure:
      case Kind.broken:
        return this.#failure(id, payload);
      case Kind.times:
        return this.#times(id, payload);
      case Kind.cancelled:
        return this.#source.dispatchWaiting();
      case Kind.ready:
        return this.#ready(payload);
      case Kind.startFailed:
        return this.#refuse(payload);
      case Kind.loaded:
        return this.#keeper.reports.loaded(this.#worker, messages.loaded(payload));
      case Kind.metrics:
        return this.#keeper.reports.metrics(this.#worker, messages.metrics(payload));
      case Kind.collect:
        return this.#collect(payload);
      case Kind.notCollected:
        return this.#notCollected(payload);
      case Kind.redacted:
        return this.#source.redactions.done(this.#worker, id, payload);
      default:
        throw new FrameError(`a frame of kind ${kind}, which workers do not send`);
    }
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

  #reply(id: number, payload: Buffer): void {
    const { head, end } = readHead(payload);
    if (this.#worker.scorings.get(id)?.stream !== undefined) throw new FrameError(`a reply to the request ${id}, whose stream has begun`);
    const scoring = this.#source.settle(this.#worker, id);
    if (scoring?.answered === false) scoring.resolve(head, payload.subarray(end));
  }

  #stream(id: number, payload: Buffer): void {
    const { head } = readHead(payload);
    this.#worker.scorings.get(id)?.startStream(head);
  }

  #end(id: number): void {
    const { answered, stream } = this.#worker.scorings.get(id) ?? {};
    if (answered === false && stream === undefined) throw new FrameError(`the end of a stream of the request ${id}, which has none`);
    this.#source.settle(this.#worker, id);
    stream?.finish();
  }

  #failure(id: number, payload: Buffer): void {
    const { code, message } = messages.failure(payload);
    this.#source.settle(this.#worker, id)?.fail(new ServerError(code, message));
  }

  #times(id: number, payload: Buffer): void {
    const times = messages.times(payload);
    this.#worker.scorings.get(id)?.timed(times);
  }

  #ready(payload: Buffer): void {
    const message = messages.ready(payload);
    this.#checkFirst();
    this.#worker.ready(message);
    this.#keeper.serve(this.#worker, message);
  }

  #refuse(payload: Buffer): void {
    const { code, message } = messages.failure(payload);
    this.#checkFirst();
    this.#worker.refuse();
    this.#keeper.fail(this.#worker, new ServerError(code, message));
  }

  #checkFirst(): void {
    if (!this.#worker.mayReport) throw new FrameError('a second message that tells how its start ended');
  }

  #collect(payload: Buffer): void {
    checkCollect(payload);
    this.#source.collecting?.rows(payload);
  }

  #notCollected(payload: Buffer): void {
    for (const { collection, reason, count } of messages.notCollected(payload))
      this.#source.collecting?.notCollected(collection, reason, count);
  }
}
