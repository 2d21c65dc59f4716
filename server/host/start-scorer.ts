import type { Config } from '../config/config.ts';
import type { Found } from '../config/discovery.ts';
import { withoutSecrets } from '../config/secret-variables.ts';
import type { CollectionStart } from '../ipc/start-message.ts';
import type { Lifecycle } from '../lifecycle.ts';
import type { Log } from '../log.ts';
import type { Collecting } from '../scoring/collecting.ts';
import { limitsOf } from '../scoring/limits.ts';
import { poolOptions } from '../scoring/pool-options.ts';
import { PoolScorer } from '../scoring/scorer.ts';
import type { PoolEvents } from '../scoring/worker-pool.ts';
import { hasGpu } from '../system/gpu-devices.ts';
import { NvidiaSmi } from '../system/nvidia-smi.ts';
import { addGpuMetrics } from '../telemetry/gpu-metrics.ts';
import { pathClosedTo, type User } from '../system/users.ts';
import type { Metrics } from '../telemetry/metrics.ts';

/** Everything that workers need besides the options. */
export interface ScorerSurroundings {
  /** Of this process. */
  readonly env: NodeJS.ProcessEnv;
  /** Of workers; undefined: that of this process. */
  readonly user?: User | undefined;
  readonly lifecycle: Lifecycle;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Settings of collection for workers; undefined: nothing is collected. */
  readonly collection?: CollectionStart | undefined;
  /** Takes the rows of scripts. */
  readonly collecting?: Collecting | undefined;
  readonly events: PoolEvents;
}

/**
 * Starts workers for what was found. They need no port. The events report when they are ready, or
 * that they cannot start.
 */
export function startScorer(config: Config, found: Found, around: ScorerSurroundings): PoolScorer {
  const { user, lifecycle, log, metrics, collection, collecting, events } = around;
  const env = withoutSecrets(around.env, config.workerSecrets);
  const workers = poolOptions(config, found, { env, user, log, metrics, collection });
  const limits = { ...config, ...limitsOf(config) };
  const scorer = new PoolScorer({ limits, workers, found, lifecycle, log, metrics, collecting }, events);
  metrics.observe(() => ({
    ...scorer.load,
    queueLimit: config.queueMaxRequests,
    oldestWaitingMs: scorer.oldestWaitingMs,
    ready: lifecycle.state === 'ready' && scorer.ready,
  }));
  if (hasGpu(env)) addGpuMetrics(metrics.registry, new NvidiaSmi(envOfPrograms(env, user)));
  void scorer.start();
  return scorer;
}

/** Why: a script could put a program of its own into PATH, which this process would run as root. */
function envOfPrograms(env: NodeJS.ProcessEnv, user: User | undefined): NodeJS.ProcessEnv {
  return user === undefined ? env : { ...env, PATH: pathClosedTo(user, env['PATH']) };
}
