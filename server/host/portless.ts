import type { ServeCommand } from '../config/read-config.ts';
import { type ServerError, stackOfThrown, ServerError as Failure } from '../errors.ts';
import { within } from '../guards/within.ts';
import type { ReadyMessage } from '../ipc/worker-messages.ts';
import { Lifecycle } from '../lifecycle.ts';
import type { Log } from '../log.ts';
import type { PoolScorer } from '../scoring/scorer.ts';
import { Metrics } from '../telemetry/metrics.ts';
import type { HostProcess } from './host-server.ts';
import { LastResort } from './last-resort.ts';
import { portlessPlan } from './serving-plan.ts';
import { reportOmitted, reportReady } from './start-report.ts';
import { startScorer } from './start-scorer.ts';

/** Time of a stop beyond DRAIN_TIMEOUT_MS. */
const MARGIN_MS = 500;

/** Workers of a process that opens no port. */
export interface PortlessScorer {
  readonly scorer: PoolScorer;
  /** Resolves when the workers are ready. */
  readonly ready: Promise<void>;
  /** Rejects with what ends the process: a start that failed, workers that are lost for good. */
  readonly failed: Promise<never>;
  /** Ends the workers within DRAIN_TIMEOUT_MS. Returns when they are gone. */
  stop(): Promise<void>;
}

interface Portless {
  readonly command: ServeCommand;
  readonly log: Log;
}

/**
 * Starts workers as `serve` does, without a port.
 * @throws ServerError usage, script_missing, script_broken, model_missing
 */
export function startPortless(host: HostProcess, { command, log }: Portless): PortlessScorer {
  const { config, found, user } = portlessPlan(command, log);
  const lifecycle = new Lifecycle();
  const metrics = new Metrics();
  const ready = Promise.withResolvers<void>();
  const failed = Promise.withResolvers<never>();
  // Whoever waits for it may come later.
  failed.promise.catch(() => undefined);
  const fail = (error: ServerError): void => void (lifecycle.to('failed') && failed.reject(error));
  obeyStrayErrors(host, log, fail);
  const scorer = startScorer(config, found, {
    env: host.env,
    user,
    lifecycle,
    log,
    metrics,
    events: {
      ready: (message: ReadyMessage) => {
        if (!lifecycle.to('ready')) return;
        reportReady(log, found, message);
        reportOmitted(log, message.models);
        ready.resolve();
      },
      failed: fail,
    },
  });
  const stop = async (): Promise<void> => {
    lifecycle.to('draining');
    await within(config.drainTimeoutMs + MARGIN_MS, scorer.stop(config.drainTimeoutMs));
    scorer.kill();
    lifecycle.to('stopped');
  };
  return { scorer, ready: ready.promise, failed: failed.promise, stop };
}

function obeyStrayErrors(host: HostProcess, log: Log, fail: (error: ServerError) => void): void {
  const fatal = (thrown: unknown): void => fail(new Failure('internal', stackOfThrown(thrown), { cause: thrown }));
  const lastResort = new LastResort({ log, count: () => undefined, fatal });
  host.on('uncaughtException', (thrown) => lastResort.take(thrown));
  host.on('unhandledRejection', (thrown) => lastResort.take(thrown));
  // Node's own answer to it is to open an inspector.
  host.on('SIGUSR1', () => undefined);
}
