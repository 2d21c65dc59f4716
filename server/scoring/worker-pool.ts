import { type ServerError, toServerError } from '../errors.ts';
import type { ReadyMessage } from '../ipc/worker-messages.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { AnswerMemory } from './answer-memory.ts';
import type { PoolOptions, PoolPlan } from './pool-options.ts';
import { type Capacity, capacityOf, leastLoadedOf, type Need, PoolWorker } from './pool-worker.ts';
import { Replacements } from './replacements.ts';
import { type EndReason, restartCauseOf, retirements, type RetireReason, startFailureOf } from './worker-endings.ts';
import { type ScoringSource, type WorkerKeeper, WorkerListener } from './worker-listener.ts';
import { Trials } from './trials.ts';
import { WorkerMemory } from './worker-memory.ts';
import { type Exit, WorkerProcess } from './worker-process.ts';
import { type OnScriptLine, WorkerReports } from './worker-reports.ts';
import type { Effects } from './worker-states.ts';

/** Events of the pool for the owner of the server. */
export interface PoolEvents {
  /** Every worker of the first generation is ready; from then on, each replacement. */
  ready(message: ReadyMessage): void;
  /** The server cannot start, or its replacements fail to start. */
  failed(error: ServerError): void;
  /** A line of an entry script, which the log has too. */
  readonly onScriptLine?: OnScriptLine | undefined;
}

interface PoolSettings {
  readonly options: PoolOptions;
  readonly events: PoolEvents;
  readonly source: ScoringSource;
  /** Decides when the pipes of workers are left unread. */
  readonly answers: AnswerMemory;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Beyond its limit, a script has this time to end `init()` with an error of its own. */
const INIT_GRACE_MS = 500;
/** `/` stays healthy for so long while the only worker is being replaced. */
const HEALTHY_WITHOUT_WORKER_MS = 60_000;

/** Keeps N workers running, and chooses the one with room. */
export class WorkerPool implements WorkerKeeper {
  readonly #settings: PoolSettings;
  readonly #now: () => number;
  readonly #memory: WorkerMemory | undefined;
  readonly #replacements: Replacements;
  readonly #trials: Trials;
  readonly #workers: (PoolWorker | undefined)[] = [];
  /** Workers that are replaced, and whose processes go on. */
  readonly #retiring = new Set<PoolWorker>();
  /** Ends the making of the plan. */
  readonly #planning = new AbortController();
  #state: 'starting' | 'running' | 'stopped' = 'starting';
  #withoutWorkerSince: number | undefined;
  #spec: PoolPlan['spec'] | undefined;
  readonly reports: WorkerReports;

  constructor(settings: PoolSettings) {
    this.#settings = settings;
    const { options, events, log, metrics } = settings;
    this.#now = options.now ?? (() => performance.now());
    const { memoryShare } = metrics.processes;
    const memoryEvents = { kill: (worker: PoolWorker) => this.end(worker, 'memory'), taken: (share: number) => memoryShare.set(share) };
    this.#memory = options.memory && new WorkerMemory(options.memory, log, memoryEvents);
    const limitMs = options.initTimeoutMs === 0 ? 0 : options.trialMs;
    this.#trials = new Trials({ limitMs, log, end: (worker) => this.end(worker, 'trial') });
    this.reports = new WorkerReports(log, metrics, events.onScriptLine);
    const { replacementAttempts: attempts, replacementBackOffMs: longestMs } = options;
    this.#replacements = new Replacements({ attempts, longestMs, log, spawn: (number) => this.#spawn(number) });
  }

  /** Makes the plan and starts the workers. Never rejects: failures go to `failed`. */
  async start(): Promise<void> {
    const { options, events } = this.#settings;
    try {
      const { count, spec } = await options.plan(this.#planning.signal);
      if (this.#state !== 'starting') return;
      this.#spec = spec;
      for (let number = 0; number < count; number++) this.#spawn(number);
    } catch (thrown) {
      if (this.#state !== 'stopped') events.failed(toServerError(thrown));
    }
  }

  get ready(): boolean {
    return this.#state === 'running' && this.#workers.some((worker) => worker?.usable === true);
  }

  /** As `ready`, and for a while after the last worker was lost. */
  get healthy(): boolean {
    if (this.#state !== 'running') return false;
    return this.ready || this.#withoutWorkerSince === undefined || this.#now() - this.#withoutWorkerSince < HEALTHY_WITHOUT_WORKER_MS;
  }

  get capacity(): Capacity {
    return capacityOf(this.#workers);
  }

  /** The worker that holds the least, of those that have what the work needs. */
  leastLoaded(need: Need = 'credit'): PoolWorker | undefined {
    return leastLoadedOf(this.#workers, need);
  }

  /** Retires a worker: no new requests, finishes those that clients wait for, is replaced now. */
  retire(worker: PoolWorker, reason: RetireReason): void {
    const effect = worker.retire(reason);
    if (effect === 'replace') {
      this.#settings.log.warn({ worker: worker.number }, retirements[reason]);
      this.#retiring.add(worker);
      this.#spawn(worker.number);
      this.#noteAbsence();
    }
    this.reap(worker);
  }

  /** Ends a retiring worker once no client waits for anything that it holds. */
  reap(worker: PoolWorker): void {
    const { state, retiredFor } = worker;
    if (state !== 'retiring' || retiredFor === undefined) return;
    if (worker.scorings.items.every((scoring) => scoring.answered && scoring.stream === undefined)) {
      if (worker.closes) this.#close(worker, retiredFor);
      else this.end(worker, retiredFor);
    }
  }

  /** Kills a worker. */
  end(worker: PoolWorker, reason: EndReason): void {
    worker.end(reason);
    this.#noteAbsence();
  }

  /**
   * Ends all workers and waits until they are gone.
   * @param closeMs limit of the script's `close()`
   */
  async stop(closeMs?: number): Promise<void> {
    this.#stopReplacing();
    const running = this.#all.filter(({ state }) => state !== 'gone' && state !== 'refused');
    for (const worker of running) this.#close(worker, 'stop', closeMs);
    await Promise.all(running.map((worker) => worker.process.gone));
  }

  /** Ends all workers at once, without waiting. */
  killAll(): void {
    this.#stopReplacing();
    for (const worker of this.#all) this.end(worker, 'stop');
  }

  serve(worker: PoolWorker, message: ReadyMessage): void {
    const { events, source, log } = this.#settings;
    this.#replacements.started(worker.number);
    this.#withoutWorkerSince = undefined;
    const ms = Math.round(performance.now() - worker.startedAt);
    log.info({ worker: worker.number, pid: worker.process.pid, ms }, 'worker ready');
    if (this.#state === 'starting' && this.#workers.every((each) => each?.hasServed === true)) this.#state = 'running';
    if (this.#state === 'running') events.ready(message);
    source.available();
  }

  tries(worker: PoolWorker, model: string | undefined): void {
    this.#trials.tries(worker, model);
  }

  fail(worker: PoolWorker, error: ServerError): void {
    const { events } = this.#settings;
    if (this.#state === 'stopped') return undefined;
    if (this.#state === 'starting') return events.failed(error);
    this.reports.restarted('init');
    this.#noteAbsence();
    return this.#replacements.failed(worker.number, error, this.ready) ? undefined : events.failed(error);
  }

  broke(worker: PoolWorker, why: string): void {
    this.reports.broke(worker, why);
    this.end(worker, 'protocol');
  }

  exited(worker: PoolWorker, exit: Exit, effect: Effects['exit']): void {
    const { options, source } = this.#settings;
    this.reports.gone(worker);
    this.#retiring.delete(worker);
    source.lost(worker, exit);
    if (this.#state === 'stopped') return undefined;
    if (this.#trials.lost(worker, exit)) return this.#startWithoutTrial(worker);
    switch (effect) {
      case 'none':
        return undefined;
      case 'fail':
        return this.fail(worker, startFailureOf(worker, exit, options.initTimeoutMs));
      case 'count':
        return this.#countLoss(worker, exit);
      case 'replaceLater':
        this.#countLoss(worker, exit);
        this.#noteAbsence();
        return this.#replacements.lost(worker.number);
      default:
        return effect satisfies never;
    }
  }

  /**
   * Starts another worker in the place of one that ended on made-up inputs. The first workers start
   * together, and all of them have to decide alike about merging.
   */
  #startWithoutTrial({ number }: PoolWorker): void {
    this.#spawn(number);
    if (this.#state !== 'starting') return;
    for (const other of this.#all) if (other.start.warmUp === 'on' && !other.ending && other.state !== 'gone') this.end(other, 'trial');
  }

  /** Ends a worker in order. */
  #close(worker: PoolWorker, reason: EndReason, limitMs = this.#settings.options.closeMs ?? 0): void {
    worker.close(reason, limitMs, (ms) => this.reports.late(worker, ms));
  }

  get #all(): PoolWorker[] {
    return [...this.#workers, ...this.#retiring].filter((worker) => worker !== undefined);
  }

  #spawn(number: number): void {
    if (this.#spec === undefined) return;
    const { options, answers, source } = this.#settings;
    const planned = this.#spec(number);
    const spec = { ...planned, start: this.#trials.messageOf(planned.start) };
    const process = options.open?.(spec, answers) ?? new WorkerProcess(spec, answers);
    const worker = new PoolWorker(number, process, spec.start);
    this.#workers[number] = worker;
    this.reports.started(worker);
    process.listen(new WorkerListener(worker, this, source));
    this.#memory?.watch(worker);
    const { initTimeoutMs } = options;
    if (initTimeoutMs > 0) worker.startTimer = setTimeout(() => this.end(worker, 'init_timeout'), initTimeoutMs + INIT_GRACE_MS);
  }

  #countLoss(worker: PoolWorker, exit: Exit): void {
    const { number, endedFor } = worker;
    if (endedFor === undefined) this.#settings.log.error({ worker: number, ...exit }, 'a worker ended unexpectedly; it is being replaced');
    const cause = restartCauseOf(worker, exit);
    if (cause !== undefined) this.reports.restarted(cause);
  }

  #noteAbsence(): void {
    if (!this.ready) this.#withoutWorkerSince ??= this.#now();
  }

  #stopReplacing(): void {
    this.#state = 'stopped';
    this.#planning.abort();
    this.#replacements.stop();
  }
}
