import assert from 'node:assert/strict';
import { once } from 'node:events';
import { dirname, isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Readable } from 'node:stream';
import { options } from '../../server/config/config.ts';
import type { ServerError } from '../../server/errors.ts';
import { Lifecycle } from '../../server/lifecycle.ts';
import type { Collecting } from '../../server/scoring/collecting.ts';
import { nodeCommand } from '../../server/scoring/node-command.ts';
import { PoolScorer } from '../../server/scoring/scorer.ts';
import type { ScoreReply, ScoreRequest, Scoring } from '../../server/scoring/scorer-types.ts';
import { Metrics } from '../../server/telemetry/metrics.ts';
import { REDACT_LIMIT_MS } from '../../server/ipc/limits.ts';
import type { StartMessage } from '../../server/ipc/start-message.ts';
import { LogLines } from '../set-up/log-lines.ts';

/** What a healthy worker must beat, on a slow machine too. */
const GRACE_MS = 3000;

export const SCRIPTS = fileURLToPath(new URL('../scripts/', import.meta.url));

type Limits = ConstructorParameters<typeof PoolScorer>[0]['limits'];

export interface Settings {
  readonly workers?: number;
  readonly now?: () => number;
  readonly start?: Partial<StartMessage>;
  readonly limits?: Partial<Limits>;
  readonly env?: Record<string, string>;
  /** Program of the workers; Node by default. */
  readonly command?: readonly [string, ...string[]];
  /** Limit of made-up inputs; milliseconds. */
  readonly trialMs?: number;
  /** Takes what the script collects. */
  readonly collecting?: Collecting;
}

export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly text: string;
  readonly json: unknown;
}

/** Real worker processes behind the real scorer, without HTTP. */
export class Workers {
  readonly #logged = new LogLines();
  readonly lines: readonly Record<string, unknown>[] = this.#logged.lines;
  readonly lifecycle = new Lifecycle();
  readonly metrics = new Metrics();
  readonly scorer: PoolScorer;
  readonly started: Promise<void>;
  failure: Promise<ServerError>;

  constructor(script: string, settings: Settings = {}) {
    const path = isAbsolute(script) ? script : join(SCRIPTS, script);
    const found = {
      kind: 'entry script' as const,
      entryScript: path,
      modelFile: undefined,
      modelDir: undefined,
      importPath: [dirname(path)],
    };
    const start: StartMessage = {
      ...found,
      noCode: false,
      modelName: 'scripted',
      concurrency: 32,
      initTimeoutMs: 10_000,
      execution: { provider: 'cpu', strict: true },
      intraOpThreads: 1,
      maxBatchSize: 'auto',
      maxBatchDelayMs: 0,
      warmUp: 'on',
      nonFinite: 'string',
      jsonNan: 'accept',
      sharedSizes: 'check',
      answerLimitBytes: options.answerLimitBytes.default,
      logLevel: 'debug',
      tracing: false,
      ...settings.start,
    };
    const defaults = Object.fromEntries(Object.entries(options).map(([key, row]) => [key, row.default])) as unknown as Limits;
    const failed = Promise.withResolvers<ServerError>();
    const ready = Promise.withResolvers<void>();
    this.failure = failed.promise;
    this.started = ready.promise;
    const workers = {
      initTimeoutMs: start.initTimeoutMs,
      replacementAttempts: 5,
      replacementBackOffMs: 1000,
      closeMs: 20_000,
      ...(settings.now === undefined ? {} : { now: settings.now }),
      ...(settings.trialMs === undefined ? {} : { trialMs: settings.trialMs }),
      plan: async () => ({
        count: settings.workers ?? 1,
        spec: () => ({
          start,
          env: { ...process.env, ORT_DISABLE_TELEMETRY: '1', ...settings.env },
          cwd: SCRIPTS,
          command: settings.command ?? nodeCommand({ debugPort: 0 }),
        }),
      }),
    };
    this.scorer = new PoolScorer(
      {
        limits: { ...defaults, redactTimeoutMs: REDACT_LIMIT_MS, scoringTimeoutMs: 20_000, cancelGraceMs: GRACE_MS, ...settings.limits },
        workers,
        found,
        collecting: settings.collecting,
        lifecycle: this.lifecycle,
        log: this.#logged.log,
        metrics: this.metrics,
      },
      {
        ready: () => {
          this.lifecycle.to('ready');
          ready.resolve();
        },
        failed: (error) => {
          failed.resolve(error);
          ready.reject(error);
        },
      },
    );
    // A test that expects the failure awaits `failure` instead.
    ready.promise.catch(() => undefined);
    void this.scorer.start();
  }

  /** Starts a scoring; JSON unless a content type is given. */
  begin(data: unknown, overrides: Partial<ScoreRequest> = {}): Scoring {
    const body = Buffer.isBuffer(data)
      ? data
      : Buffer.from(typeof data === 'string' && overrides.contentType !== undefined ? data : (JSON.stringify(data) ?? ''));
    this.scorer.admit(body.length);
    return this.scorer.score({
      protocol: 'score',
      method: 'POST',
      url: '/score',
      contentType: 'application/json',
      id: 'request-1',
      clientRequestId: undefined,
      traceId: '0123456789abcdef0123456789abcdef',
      rawHeaders: ['Host', 'localhost', 'X-Custom', 'yes'],
      body: body.length === 0 ? [] : [body],
      bodyBytes: body.length,
      ...overrides,
    });
  }

  async score(data: unknown, overrides: Partial<ScoreRequest> = {}): Promise<Answer> {
    return read(await this.begin(data, overrides).reply);
  }

  /** The first log line that matches, now or later. */
  line(matches: (line: Record<string, unknown>) => boolean): Promise<Record<string, unknown>> {
    return this.#logged.line(matches);
  }

  /** Process ids of the workers that became ready, the newest last. */
  get pids(): unknown[] {
    return this.lines.filter(({ msg }) => msg === 'worker ready').map(({ pid }) => pid);
  }

  lineWith(text: string): Promise<Record<string, unknown>> {
    return this.line(({ msg }) => String(msg).includes(text));
  }

  async stop(): Promise<void> {
    await this.scorer.stop();
  }
}

export async function read(reply: ScoreReply): Promise<Answer> {
  const chunks: Buffer[] = [];
  if (reply.body instanceof Readable) {
    reply.body.on('data', (chunk: Buffer) => chunks.push(chunk));
    await once(reply.body, 'end');
  } else chunks.push(reply.body);
  const text = Buffer.concat(chunks).toString();
  const headers = Object.fromEntries(reply.headers);
  return {
    status: reply.status,
    headers,
    text,
    json: headers['content-type'] === 'application/json' ? (JSON.parse(text) as unknown) : undefined,
  };
}

/**
 * The error that breaks a stream off.
 * @param goOn lets the script fail, once the head is here. Why: a stream whose frames all come in
 * one read is answered as a failure, without a head.
 */
export async function breakOf({ reply }: Scoring, goOn?: () => void): Promise<ServerError> {
  const { body } = await reply;
  assert.ok(body instanceof Readable);
  const broken = once(body.resume(), 'error');
  goOn?.();
  const [error] = (await broken) as [ServerError];
  return error;
}

/** Runs `test` with workers that are ready, and ends them whatever happens. */
export async function withWorkers(script: string, test: (workers: Workers) => Promise<void>, settings: Settings = {}): Promise<void> {
  const workers = new Workers(script, settings);
  try {
    await workers.started;
    await test(workers);
  } finally {
    await workers.stop();
  }
}
