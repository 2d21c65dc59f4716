import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import packageJson from '../package.json' with { type: 'json' };
import type { Config } from './config.ts';
import { availableCpus, threadsPerWorker } from './cpu-quota.ts';
import { discover, modelTree, type Found } from './discovery.ts';
import { ServerError, toServerError } from './errors.ts';
import type { GrpcParts } from './grpc/listen.ts';
import { buildApp } from './http/app.ts';
import { listen, type Listening } from './http/listen.ts';
import { Lifecycle } from './lifecycle.ts';
import { createLog, type Log } from './log.ts';
import { defaultModelName } from './model-name.ts';
import { readConfig } from './read-config.ts';
import { PoolScorer } from './scoring/scorer.ts';
import type { PoolOptions } from './scoring/worker-pool.ts';
import { Metrics } from './telemetry/metrics.ts';
import { helpText } from './usage.ts';

const HOME = dirname(dirname(fileURLToPath(import.meta.url)));
const VERSION = `${packageJson.name}/${packageJson.version}`;
/** Answers that were given at the end of a drain need a moment to leave. */
const LAST_ANSWERS_MS = 500;
const NO_LIMIT_MS = 2 ** 31 - 1;

await main();

async function main(): Promise<void> {
  let command: ReturnType<typeof readConfig>;
  try {
    command = readConfig({ argv: process.argv.slice(2), env: process.env, cwd: process.cwd() });
  } catch (thrown) {
    const error = toServerError(thrown);
    process.stderr.write(`scoring-server cannot start:\n  ${error.message.replaceAll('\n', '\n  ')}\n`);
    process.exit(error.failure.exitCode ?? 1);
  }
  if (command.kind !== 'serve') {
    process.stdout.write(command.kind === 'help' ? helpText() : `${VERSION}\n`);
    return;
  }
  await serve(command.config, command.warnings);
}

async function serve(given: Config, warnings: readonly string[]): Promise<void> {
  const { log, flush } = await createLog(given, process.stdout.isTTY);
  const exit = (code: number): never => {
    flush();
    process.exit(code);
  };
  for (const warning of warnings) log.warn(warning);

  const lifecycle = new Lifecycle();
  const metrics = new Metrics();
  let found: Found;
  try {
    found = discover(given, HOME);
  } catch (thrown) {
    return exit(reportFailure(log, thrown, given));
  }
  const config: Config = { ...given, modelName: given.modelName === '' ? defaultModelName(found) : given.modelName };

  const fail = (thrown: unknown): void => {
    const draining = lifecycle.state === 'draining';
    if (!lifecycle.to('failed')) return;
    const code = reportFailure(log, thrown, config);
    void scorer.stop().then(() => exit(draining ? 1 : code));
  };
  const scorer = new PoolScorer(
    { limits: config, workers: workersOf(config, found), found, lifecycle, log, metrics },
    {
      ready: ({ models, concurrency }) => {
        for (const model of models) metrics.loaded(model);
        const names = models.map(({ name }) => name);
        if (lifecycle.to('ready')) reportReady(log, found, names, concurrency);
      },
      failed: fail,
    },
  );
  metrics.observe(() => ({ ...scorer.load, ready: lifecycle.state === 'ready' && scorer.ready }));

  process.on('uncaughtException', (error) => fail(new ServerError('internal', error.stack ?? error.message, { cause: error })));
  const app = buildApp({
    config,
    scorer,
    lifecycle,
    metrics,
    log,
    serverVersion: config.serverVersion === '' ? VERSION : config.serverVersion,
    swaggerFiles: config.appRoot,
  });
  const doors: FrontDoor[] = [];
  const onSignal = (signal: 'SIGTERM' | 'SIGINT'): void => {
    // Its own exit, with its own code, is under way.
    if (!lifecycle.live) return;
    if (lifecycle.state === 'draining') {
      log.warn({ signal }, 'second signal: stopping at once');
      scorer.kill();
      exit(1);
    }
    void drain(signal, { config, lifecycle, scorer, doors, log }).then(() => exit(0), fail);
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  try {
    const listening = await listen(app, config);
    doors.push(listening);
    reportListening(log, config, listening);
    if (config.grpcPort !== 0) doors.push(await openGrpc(config, { scorer, lifecycle, metrics, log }));
  } catch (thrown) {
    return fail(thrown);
  }
  if (lifecycle.state === 'starting') scorer.start();
}

/** Loaded only where it is asked for: it doubles the code of the host. */
async function openGrpc(config: Config, parts: Omit<GrpcParts, 'config'>): Promise<FrontDoor> {
  const { listenGrpc } = await import('./grpc/listen.ts');
  const door = await listenGrpc({ config, ...parts });
  parts.log.info({ host: config.host, port: door.port }, 'listening for gRPC');
  return door;
}

interface FrontDoor {
  /** Takes nothing new; resolves when what is open has ended. */
  close(): Promise<void>;
  closeAll(): void;
}

interface Parts {
  readonly config: Config;
  readonly lifecycle: Lifecycle;
  readonly scorer: PoolScorer;
  /** Those that were open when the signal came. */
  readonly doors: readonly FrontDoor[];
  readonly log: Log;
}

/** Readiness 503 at once; the port stays open for the drain delay; then what was admitted is finished, within the limit. */
async function drain(signal: 'SIGTERM' | 'SIGINT', { config, lifecycle, scorer, doors, log }: Parts): Promise<void> {
  const wasReady = lifecycle.state === 'ready';
  if (!lifecycle.to('draining')) return;
  const delayMs = signal === 'SIGTERM' && wasReady ? config.drainDelayMs : 0;
  log.info({ signal, ...scorer.load, delayMs, limitMs: config.drainTimeoutMs }, 'draining');
  const limit = delay(config.drainTimeoutMs, undefined, { ref: false });
  await Promise.race([delay(delayMs), limit]);
  const closed = Promise.all(doors.map((door) => door.close()));
  await Promise.race([scorer.idle(), limit]);
  const unfinished = scorer.load.queued + scorer.load.inFlight;
  await Promise.race([scorer.stop(), delay(LAST_ANSWERS_MS)]);
  await Promise.race([closed, delay(LAST_ANSWERS_MS)]);
  scorer.kill();
  for (const door of doors) door.closeAll();
  lifecycle.to('stopped');
  if (unfinished > 0) log.warn({ unfinished }, 'drained; requests that were not done in time got 503 (DRAIN_TIMEOUT_MS)');
  else log.info('drained');
}

function workersOf(config: Config, found: Found): PoolOptions {
  const cpus = availableCpus(availableParallelism());
  const count = config.workerCount === 'auto' ? cpus : config.workerCount;
  const intraOpThreads = config.intraOpThreads === 0 ? threadsPerWorker(cpus, count) : config.intraOpThreads;
  const start = {
    ...found,
    noCode: found.kind === 'model without code',
    modelName: config.modelName,
    concurrency: config.workerConcurrency,
    initTimeoutMs: config.debugPort === 0 ? config.initTimeoutMs : NO_LIMIT_MS,
    intraOpThreads,
    maxBatchSize: config.maxBatchSize,
    maxBatchDelayMs: config.maxBatchDelayMs,
    nonFinite: config.nonFinite,
    logLevel: config.logLevel,
  };
  const env = {
    ...process.env,
    // Must be there before the library loads (reference/onnxruntime-node.md, section 3).
    ORT_DISABLE_TELEMETRY: '1',
    AML_APP_ROOT: config.appRoot,
    AZUREML_ENTRY_SCRIPT: found.entryScript,
    WORKER_COUNT: String(count),
    SERVER_PORT: String(config.port),
    ...(found.modelDir === undefined ? {} : { AZUREML_MODEL_DIR: found.modelDir }),
  };
  return {
    count,
    initTimeoutMs: config.debugPort === 0 ? config.initTimeoutMs : 0,
    spec: (worker) => ({ start, env, cwd: config.appRoot, debugPort: worker === 0 ? config.debugPort : 0 }),
  };
}

function reportListening(log: Log, config: Config, { ports }: Listening): void {
  log.info({ host: config.host, port: ports[0], ports, pid: process.pid, node: process.version, version: VERSION }, 'listening');
  log.info(
    `SIGTERM drains for at most ${config.drainTimeoutMs} ms, ${config.drainDelayMs} ms of it with the port still open: give the platform's grace period more than that`,
  );
}

function reportReady(log: Log, { kind, entryScript }: Found, models: readonly string[], concurrency: number): void {
  log.info({ kind, entryScript, models, concurrency }, 'ready');
  if (kind === 'sample')
    log.warn(
      'no entry script and no model is named or found: this is the sample. Name yours with --entry-script, --model or AZUREML_MODEL_DIR',
    );
}

/** One line with everything an operator needs; answers the exit code. */
function reportFailure(log: Log, thrown: unknown, config: Config): number {
  const error = toServerError(thrown);
  const exitCode = error.failure.exitCode ?? 1;
  const tree =
    exitCode === 3 && config.modelDir !== '' && existsSync(config.modelDir)
      ? `\nThe model directory ${config.modelDir} holds:\n${modelTree(config.modelDir)}`
      : '';
  log.fatal({ code: error.code, exitCode }, `${error.message}${tree}`);
  return exitCode;
}
