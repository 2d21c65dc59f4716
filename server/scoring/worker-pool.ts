import { ServerError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { ReadyMessage } from '../ipc/worker-messages.ts';
import type { AnswerMemory } from './answer-memory.ts';
import type { PoolOptions, PoolPlan } from './pool-options.ts';
import { type Capacity, capacityOf, PoolWorker } from './pool-worker.ts';
import { Replacements } from './replacements.ts';
import { WorkerProcess, type AnswerEvents, type Exit, type WorkerEvents } from './worker-process.ts';
import { WorkerMemory } from './worker-memory.ts';
import { type Said, WorkerReports } from './worker-reports.ts';

/** What the pool tells its owner. */
export interface PoolEvents {
  /** A worker can take (more) requests. */
  available(): void;
  /** Every worker of the first generation is ready; from then on, each replacement. */
  ready(message: ReadyMessage): void;
  /** The server cannot start, or its replacements die before they are ready. */
  failed(error: ServerError): void;
  /** A worker is gone; what it held must be answered. */
  lost(worker: PoolWorker, exit: Exit): void;
  /** Told what entry scripts say, besides the log. */
  readonly said?: Said | undefined;
  /** Decides when the pipes of workers are left unread. */
  readonly answers: AnswerMemory;
  /** Who takes the answers of a new worker. */
  answersOf(worker: PoolWorker): AnswerEvents;
}

/** What a script gets beyond its limit to end `init()` with an error of its own. */
const INIT_GRACE_MS = 500;
/** `/` stays healthy for so long while the only worker is being replaced. */
const HEALTHY_WITHOUT_WORKER_MS = 60_000;

/** Keeps N workers alive, and knows which of them has room. */
export class WorkerPool {
  readonly #options: PoolOptions;
  readonly #events: PoolEvents;
  readonly #log: Log;
  readonly #reports: WorkerReports;
  readonly #memory: WorkerMemory | undefined;
  readonly #workers: (PoolWorker | undefined)[] = [];
  /** Retiring workers keep their process, but not their place. */
  readonly #retiring = new Set<PoolWorker>();
  readonly #replacements: Replacements;
  #state: 'starting' | 'running' | 'stopped' = 'starting';
  #withoutWorkerSince: number | undefined;
  readonly #now: () => number;
  #spec: PoolPlan['spec'] | undefined;

  constructor(options: PoolOptions, events: PoolEvents, log: Log, metrics: Metrics) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#events = events;
    this.#log = log;
    this.#memory = options.memory && new WorkerMemory(options.memory, log, (worker) => this.kill(worker, 'memory'));
    this.#reports = new WorkerReports(log, metrics, events.said);
    const { replacementAttempts: attempts, replacementBackOffMs: longestMs } = options;
    this.#replacements = new Replacements({ attempts, longestMs, log, spawn: (number) => this.#spawn(number) });
  }

  start(plan: PoolPlan): void {
    if (this.#state !== 'starting') return;
    this.#spec = plan.spec;
    for (let number = 0; number < plan.count; number++) this.#spawn(number);
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

  /** The worker that holds the least and has credit left. @param any for what is no `run()` */
  leastLoaded(any = false): PoolWorker | undefined {
    let best: PoolWorker | undefined;
    for (const worker of this.#workers) {
      if (worker !== undefined && (any ? worker.usable : worker.credit > 0) && !(best && best.held.size <= worker.held.size)) best = worker;
    }
    return best;
  }

  /** Lets a worker go that has a `run()` which does not end: it finishes what others wait for, and is replaced at once. */
  retire(worker: PoolWorker): void {
    if (worker.state !== 'ready') return this.reap(worker);
    this.#log.warn({ worker: worker.number }, 'a run() did not end after its cancel: its worker is replaced');
    worker.state = 'retiring';
    this.#retiring.add(worker);
    this.#spawn(worker.number);
    this.#noteAbsence();
    return this.reap(worker);
  }

  /** Ends a retiring worker once nobody waits for anything that it holds. */
  reap(worker: PoolWorker): void {
    if (worker.state === 'retiring' && worker.held.items.every((scoring) => scoring.answered && scoring.stream === undefined))
      this.kill(worker, 'deadline');
  }

  kill(worker: PoolWorker, reason: NonNullable<PoolWorker['endedFor']>): void {
    worker.endedFor ??= reason;
    this.#noteAbsence();
    worker.process.kill();
  }

  /** Ends all workers and waits until they are gone. */
  async stop(): Promise<void> {
    this.#state = 'stopped';
    this.#replacements.stop();
    const living = this.#all.filter((worker) => worker.state !== 'gone');
    for (const worker of living) {
      worker.endedFor ??= 'stop';
      worker.process.end();
    }
    await Promise.all(living.map((worker) => worker.process.gone));
  }

  /** Ends all workers at once, without waiting. */
  killAll(): void {
    this.#state = 'stopped';
    this.#replacements.stop();
    for (const worker of this.#all) if (worker.state !== 'gone') this.kill(worker, 'stop');
  }

  get #all(): PoolWorker[] {
    return [...this.#workers, ...this.#retiring].filter((worker) => worker !== undefined);
  }

  #spawn(number: number): void {
    if (this.#spec === undefined) return;
    const worker = new PoolWorker(number);
    this.#workers[number] = worker;
    worker.process = new WorkerProcess(this.#spec(number), this.#eventsOf(worker), this.#events.answers);
    this.#memory?.watch(worker);
    const { initTimeoutMs } = this.#options;
    if (initTimeoutMs > 0) worker.initTimer = setTimeout(() => this.kill(worker, 'init_timeout'), initTimeoutMs + INIT_GRACE_MS);
  }

  #eventsOf(worker: PoolWorker): WorkerEvents {
    return {
      ...this.#events.answersOf(worker),
      ready: (message) => this.#onReady(worker, message),
      startFailed: ({ code, message }) => {
        worker.endStart();
        this.#startFailed(worker, new ServerError(code, message));
      },
      exit: (exit) => this.#onExit(worker, exit),
      log: (message) => this.#reports.line(worker, message),
      loaded: (model) => this.#reports.loaded(worker, model),
      metrics: (message) => this.#reports.metrics(worker, message),
      output: (stream, line) => this.#reports.output(worker, stream, line),
      broke: (why) => {
        this.#reports.broke(worker, why);
        this.kill(worker, 'protocol');
      },
    };
  }

  #onReady(worker: PoolWorker, message: ReadyMessage): void {
    worker.checkStarting();
    clearTimeout(worker.initTimer);
    worker.state = 'ready';
    worker.concurrency = message.concurrency;
    this.#replacements.started(worker.number);
    this.#withoutWorkerSince = undefined;
    this.#log.info(
      { worker: worker.number, pid: worker.process.pid, ms: Math.round(performance.now() - worker.startedAt) },
      'worker ready',
    );
    if (this.#state === 'starting' && this.#workers.every((each) => each?.state === 'ready')) this.#state = 'running';
    if (this.#state === 'running') this.#events.ready(message);
    this.#events.available();
  }

  #startFailed(worker: PoolWorker, error: ServerError): void {
    clearTimeout(worker.initTimer);
    if (worker.state === 'gone') return;
    worker.state = 'gone';
    if (this.#state === 'stopped') return;
    if (this.#state === 'starting') return this.#events.failed(error);
    this.#reports.restarted('init');
    this.#noteAbsence();
    if (!this.#replacements.failed(worker.number, error, this.ready)) this.#events.failed(error);
  }

  #onExit(worker: PoolWorker, exit: Exit): void {
    clearTimeout(worker.initTimer);
    this.#reports.gone(worker);
    this.#retiring.delete(worker);
    const { state } = worker;
    if (state === 'starting') return this.#startFailed(worker, worker.diedAtStart(exit, this.#options.initTimeoutMs));
    worker.state = 'gone';
    this.#events.lost(worker, exit);
    if (this.#state === 'stopped' || state === 'gone') return undefined;
    if (worker.endedFor === undefined)
      this.#log.error({ worker: worker.number, ...exit }, 'a worker ended unexpectedly; it is being replaced');
    return state === 'retiring'
      ? this.#reports.restarted('deadline')
      : this.#replace(worker, worker.endedFor ?? (exit.signal === null ? 'exit' : 'signal'));
  }

  #replace(worker: PoolWorker, cause: string): void {
    this.#reports.restarted(cause);
    this.#noteAbsence();
    this.#replacements.lost(worker.number);
  }

  #noteAbsence(): void {
    if (!this.ready) this.#withoutWorkerSince ??= this.#now();
  }
}
