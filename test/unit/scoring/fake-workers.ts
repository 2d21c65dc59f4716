import { pino } from 'pino';
import { ServerError } from '../../../server/errors.ts';
import type { StartMessage } from '../../../server/ipc/start-message.ts';
import type { ReadyMessage } from '../../../server/ipc/worker-messages.ts';
import { Lifecycle } from '../../../server/lifecycle.ts';
import type { Collecting } from '../../../server/scoring/collecting.ts';
import type { ScorerLimits } from '../../../server/scoring/limits.ts';
import type { PoolOptions } from '../../../server/scoring/pool-options.ts';
import { PoolScorer } from '../../../server/scoring/scorer.ts';
import type { ScoreRequest, Scoring } from '../../../server/scoring/scorer-types.ts';
import { Metrics } from '../../../server/telemetry/metrics.ts';
import type { WorkerSpec } from '../../../server/scoring/worker-process.ts';
import { FakeProcess } from './fake-process.ts';

interface FakeSettings {
  readonly workers?: number;
  readonly limits?: Partial<ScorerLimits>;
  readonly options?: Partial<PoolOptions>;
  readonly collecting?: Collecting;
}

/** What the processes are started with. */
export const start: StartMessage = {
  entryScript: '/score.ts',
  noCode: false,
  modelFile: undefined,
  modelDir: undefined,
  modelName: 'model',
  importPath: [],
  concurrency: 1,
  initTimeoutMs: 1000,
  execution: { provider: 'cpu', strict: true },
  intraOpThreads: 1,
  maxBatchSize: 'auto',
  maxBatchDelayMs: 0,
  warmUp: 'on',
  nonFinite: 'string',
  jsonNan: 'accept',
  sharedSizes: 'check',
  answerLimitBytes: 1000,
  logLevel: 'info',
  tracing: false,
};
const found = { kind: 'entry script', entryScript: '/score.ts', modelFile: undefined, modelDir: undefined, importPath: [] } as const;

/** The real scorer and pool over processes that a test plays. */
export class FakeWorkers {
  /** All that were started, the newest last. */
  readonly processes: FakeProcess[] = [];
  /** What each of them was started with. */
  readonly starts: StartMessage[] = [];
  readonly lines: Record<string, unknown>[] = [];
  readonly metrics = new Metrics();
  readonly readyMessages: ReadyMessage[] = [];
  readonly failures: ServerError[] = [];
  /** The first failure, now or later. */
  readonly failed: Promise<ServerError>;
  readonly scorer: PoolScorer;

  constructor({ workers = 1, limits, options, collecting }: FakeSettings = {}) {
    const failed = Promise.withResolvers<ServerError>();
    this.failed = failed.promise;
    const open = ({ start: message }: WorkerSpec): FakeProcess => {
      this.starts.push(message);
      const process = new FakeProcess();
      this.processes.push(process);
      return process;
    };
    const plan: PoolOptions['plan'] = async () => ({
      count: workers,
      spec: () => ({ start, env: {}, cwd: '/', command: ['/nowhere'] as const }),
    });
    this.scorer = new PoolScorer(
      {
        limits: {
          scoringTimeoutMs: 0,
          queueWaitTimeoutMs: 0,
          streamIdleTimeoutMs: 0,
          redactTimeoutMs: 0,
          cancelGraceMs: 100,
          queueMaxRequests: 10,
          queueMaxBytes: 1000,
          bodyLimitBytes: 1000,
          answersMaxBytes: 1_000_000,
          ...limits,
        },
        workers: { plan, open, initTimeoutMs: 0, replacementAttempts: 2, replacementBackOffMs: 1000, ...options },
        found,
        lifecycle: new Lifecycle(),
        log: pino({ level: 'debug', base: null, formatters: { level: (level) => ({ level }) } }, { write: (line) => this.#keep(line) }),
        metrics: this.metrics,
        collecting,
      },
      {
        ready: (message) => void this.readyMessages.push(message),
        failed: (error) => {
          this.failures.push(error);
          failed.resolve(error);
        },
      },
    );
  }

  /** The processes are there; none has said anything. */
  async started(): Promise<this> {
    await this.scorer.start();
    return this;
  }

  /** Every worker is ready. @param concurrency of each */
  async ready(concurrency = 1): Promise<this> {
    await this.started();
    for (const process of this.processes) process.ready(concurrency);
    return this;
  }

  process(number: number): FakeProcess {
    const process = this.processes[number];
    if (process === undefined) throw new Error(`only ${this.processes.length} processes were started`);
    return process;
  }

  /** Begins a scoring of a body of ten bytes. */
  score(changes: Partial<ScoreRequest> = {}): Scoring {
    const body = Buffer.alloc(10);
    this.scorer.admit(body.length);
    return this.scorer.score({ ...request, body: [body], bodyBytes: body.length, ...changes });
  }

  /** Texts of the log. */
  get texts(): string[] {
    return this.lines.map(({ msg }) => String(msg));
  }

  /** Causes of restarts that were counted, with their numbers. */
  async restarts(): Promise<string[]> {
    const text = await this.metrics.registry.metrics();
    return Array.from(text.matchAll(/^worker_restarts_total\{cause="(\w+)"\} ([1-9]\d*)$/gm), ([, cause, count]) => `${cause} ${count}`);
  }

  #keep(line: string): void {
    const parsed: Record<string, unknown> = JSON.parse(line);
    this.lines.push(parsed);
  }
}

const request: ScoreRequest = {
  protocol: 'score',
  method: 'POST',
  url: '/score',
  contentType: 'application/json',
  id: 'request-1',
  clientRequestId: undefined,
  traceId: '0123456789abcdef0123456789abcdef',
  rawHeaders: [],
  body: [],
  bodyBytes: 0,
};

/** A promise's outcome: the text of a reply's body, or the code of a failure. */
export function outcome({ reply }: Scoring): Promise<string> {
  return reply.then(
    ({ body }) => (Buffer.isBuffer(body) ? body.toString() : 'a stream'),
    (thrown: unknown) => (thrown instanceof ServerError ? thrown.code : String(thrown)),
  );
}
