import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import packageJson from '../package.json' with { type: 'json' };
import type { Config } from './config.ts';
import { discover, type Found } from './discovery.ts';
import { drain, type FrontDoor } from './drain.ts';
import { ServerError, toServerError } from './errors.ts';
import type { GrpcParts } from './grpc/listen.ts';
import { buildApp } from './http/app.ts';
import { listen } from './http/listen.ts';
import { Lifecycle } from './lifecycle.ts';
import { createLog } from './log.ts';
import { defaultModelName } from './model-name.ts';
import { readConfig } from './read-config.ts';
import { poolOptions } from './scoring/pool-options.ts';
import { PoolScorer } from './scoring/scorer.ts';
import { reportFailure, reportListening, reportReady } from './start-report.ts';
import { Metrics } from './telemetry/metrics.ts';
import { helpText } from './usage.ts';

const HOME = dirname(dirname(fileURLToPath(import.meta.url)));
const VERSION = `${packageJson.name}/${packageJson.version}`;

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
    { limits: config, workers: poolOptions(config, found, process.env), found, lifecycle, log, metrics },
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
    reportListening(log, config, VERSION, listening.ports);
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
