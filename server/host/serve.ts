import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import packageJson from '../../package.json' with { type: 'json' };
import type { HostCollector, Redactor } from '../collection/host/collector.ts';
import { decideCollection, type CollectionSettings } from '../collection/settings.ts';
import type { Config } from '../config/config.ts';
import { discover, type Found } from '../config/discovery.ts';
import { drain, type DrainParts, type EndingSignal, type FrontDoor, giveUp, longestExit } from './drain.ts';
import { Ending, type EndingProcess } from './ending.ts';
import { describeThrown, ServerError, toServerError } from '../errors.ts';
import { LastResort } from './last-resort.ts';
import { Lifecycle } from '../lifecycle.ts';
import { createLog, type Log, type ServerLog } from '../log.ts';
import { defaultModelName } from '../request/model-name.ts';
import { readConfig, type ServeCommand } from '../config/read-config.ts';
import type { Sampler } from '../request/request-ids.ts';
import { poolOptions } from '../scoring/pool-options.ts';
import { PoolScorer } from '../scoring/scorer.ts';
import { reportCollection, reportFailure, reportListening, reportReady, reportWithheld } from './start-report.ts';
import { Metrics } from '../telemetry/metrics.ts';
import type { RequestExports } from '../telemetry/request-exports.ts';
import { openTelemetry } from '../telemetry/telemetry.ts';
import { helpText } from '../config/usage.ts';
import type { ReadyMessage } from '../ipc/worker-messages.ts';

const HOME = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const VERSION = `${packageJson.name}/${packageJson.version}`;

/** What this server needs of its process, so that only main.ts touches the global one. */
export type HostProcess = Pick<NodeJS.Process, 'argv' | 'env' | 'cwd' | 'stdout' | 'stderr' | 'on'> & EndingProcess;

/** Platforms and terminals may send one signal twice: to the process, and to its group. */
const SAME_SIGNAL_MS = 250;

/** The command line: help, version, or a server until a signal ends it. */
export async function main(host: HostProcess): Promise<void> {
  let command: ReturnType<typeof readConfig>;
  try {
    command = readConfig({ argv: host.argv.slice(2), env: host.env, cwd: host.cwd() });
  } catch (thrown) {
    const error = toServerError(thrown);
    host.stderr.write(`scoring-server cannot start:\n  ${error.message.replaceAll('\n', '\n  ')}\n`);
    return host.exit(error.failure.exitCode ?? 1);
  }
  if (command.kind === 'serve') await serve(host, command);
  else host.stdout.write(command.kind === 'help' ? helpText() : `${VERSION}\n`);
}

async function serve(host: HostProcess, { config: given, warnings, named }: ServeCommand): Promise<void> {
  const output = await createLog(given, host);
  const { log, flush } = output;
  const ending = new Ending({ host, log, flush });
  for (const warning of warnings) log.warn(warning);

  const lifecycle = new Lifecycle();
  const metrics = new Metrics();
  metrics.output.observeLog(output.lost);
  let found: Found;
  let collection: CollectionSettings | undefined;
  try {
    found = discover(given, HOME, named);
    const decided = decideCollection(given);
    collection = decided.settings;
    for (const warning of decided.warnings) log.warn(warning);
  } catch (thrown) {
    return ending.exit(reportFailure(log, thrown, given));
  }
  const config: Config = { ...given, modelName: given.modelName === '' ? defaultModelName(found) : given.modelName };

  const around = {
    modelDir: found.modelDir,
    serverVersion: VERSION,
    env: host.env,
    metrics,
    log,
    redacts: () => scorer.served?.redacts === true,
  };
  const telemetry = openTelemetry(config, around);
  const doors: FrontDoor[] = [];
  const opened = Promise.withResolvers<void>();
  const fail = (thrown: unknown): void => {
    const draining = lifecycle.state === 'draining';
    if (!lifecycle.to('failed')) return;
    const parts = ends();
    ending.begin(longestExit(parts));
    const code = reportFailure(log, thrown, config);
    telemetry?.failed(toServerError(thrown));
    void giveUp(parts).then(
      (threadsEnded) => ending.exit(draining ? 1 : code, threadsEnded),
      () => ending.atOnce(1),
    );
  };
  const ready = ({ models, concurrency }: ReadyMessage): void => {
    if (!lifecycle.to('ready')) return;
    const names = models.map(({ name }) => name);
    reportReady(log, found, names, concurrency);
    if (telemetry?.withholds === true) reportWithheld(log);
  };
  const collector = collection === undefined ? undefined : await openCollector(collection, { output, metrics, scorer: () => scorer });
  const ends = (): DrainParts => ({
    config,
    lifecycle,
    scorer,
    collector,
    collectorMs: collection?.flushTimeoutMs ?? 0,
    telemetry,
    doors,
    log,
  });
  const workers = poolOptions(config, found, { env: host.env, log, metrics, collection });
  const scorer: PoolScorer = new PoolScorer(
    { limits: config, workers, found, lifecycle, log, metrics, collecting: collector },
    // Workers may be faster than the ports.
    {
      ready: (message) => void opened.promise.then(() => ready(message)),
      failed: fail,
      said: telemetry && ((line) => telemetry.said(line)),
    },
  );
  metrics.observe(() => ({ ...scorer.load, ready: lifecycle.state === 'ready' && scorer.ready }));

  const lastResort = new LastResort({
    log,
    count: (code) => metrics.strayErrors.inc({ code }),
    fatal: (thrown) =>
      fail(
        new ServerError('internal', thrown instanceof Error ? (thrown.stack ?? thrown.message) : describeThrown(thrown), { cause: thrown }),
      ),
  });
  host.on('uncaughtException', (thrown) => lastResort.take(thrown));
  host.on('unhandledRejection', (thrown) => lastResort.take(thrown));
  let signalledAt: number | undefined;
  const onSignal = (signal: EndingSignal): void => {
    const now = performance.now();
    if (signalledAt !== undefined) {
      if (now - signalledAt < SAME_SIGNAL_MS) return;
      log.warn({ signal }, 'second signal: stopping at once');
      scorer.kill();
      return void ending.atOnce(1);
    }
    signalledAt = now;
    // Its own exit, with its own code, is under way.
    if (!lifecycle.live) return;
    const parts = ends();
    ending.begin(longestExit(parts));
    void drain(signal, parts).then((threadsEnded) => ending.exit(0, threadsEnded), fail);
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) host.on(signal, onSignal);
  // Node's own answer to it is to open an inspector, which may read and change everything here.
  host.on('SIGUSR1', () => undefined);
  // The workers load beside the host's own front doors, which are the larger half of its code.
  void scorer.start();
  try {
    const parts = { scorer, collector, lifecycle, metrics, log, exports: telemetry?.exports, sampler: telemetry?.sampler };
    for await (const door of openDoors(config, parts)) doors.push(door);
    opened.resolve();
  } catch (thrown) {
    fail(thrown);
  }
}

interface CollectorParts {
  readonly output: ServerLog;
  readonly metrics: Metrics;
  readonly scorer: () => PoolScorer;
}

/** Loaded only where data is collected. */
async function openCollector(settings: CollectionSettings, { output, metrics, scorer }: CollectorParts): Promise<HostCollector> {
  const [{ HostCollector }, { addCollectionMetrics }] = await Promise.all([
    import('../collection/host/collector.ts'),
    import('../telemetry/collection-metrics.ts'),
  ]);
  const redactor: Redactor = {
    get needed() {
      return scorer().served?.redacts === true;
    },
    redact: (id, sides) => scorer().redact(id, sides),
  };
  const collector = new HostCollector({ settings, redactor, log: output.log, print: output.print, agent: VERSION });
  addCollectionMetrics(metrics.registry, collector.sink, () => collector.counts);
  reportCollection(output.log, settings);
  return collector;
}

interface DoorParts {
  readonly scorer: PoolScorer;
  readonly collector: HostCollector | undefined;
  readonly lifecycle: Lifecycle;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly exports: RequestExports | undefined;
  readonly sampler: Sampler;
}

/** Opens the ports, one after the other. gRPC is loaded only where it is asked for. @throws ServerError listen_failed */
async function* openDoors(config: Config, parts: DoorParts): AsyncGenerator<FrontDoor> {
  const [{ buildApp, buildMetricsApp }, { listen }] = await Promise.all([import('../http/app.ts'), import('../http/listen.ts')]);
  const serverVersion = config.serverVersion === '' ? VERSION : config.serverVersion;
  const all = { config, ...parts, serverVersion, swaggerFiles: config.appRoot };
  const http = await listen(buildApp(all), config, config.metricsPort === 0 ? undefined : buildMetricsApp(all));
  reportListening(parts.log, config, VERSION, http.ports);
  yield http;
  if (config.grpcPort === 0) return;
  const { listenGrpc } = await import('../grpc/listen.ts');
  const grpc = await listenGrpc({ config, ...parts });
  parts.log.info({ host: config.host, port: grpc.port }, 'listening for gRPC');
  yield grpc;
}
