import type { HostCollector } from '../collection/host/collector.ts';
import type { Config } from '../config/config.ts';
import type { Lifecycle } from '../lifecycle.ts';
import type { Log } from '../log.ts';
import type { Sampler } from '../request/request-ids.ts';
import type { PoolScorer } from '../scoring/scorer.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { RequestExports } from '../telemetry/request-exports.ts';
import type { FrontDoor } from './drain.ts';
import { VERSION } from './serving-plan.ts';
import { reportListening } from './start-report.ts';

interface DoorParts {
  readonly scorer: PoolScorer;
  readonly collector: HostCollector | undefined;
  readonly lifecycle: Lifecycle;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly exports: RequestExports | undefined;
  readonly sampler: Sampler;
}

/**
 * Opens the ports, one after the other. The gRPC door is loaded only if its port is set.
 * @throws ServerError listen_failed
 */
export async function* openDoors(config: Config, parts: DoorParts): AsyncGenerator<FrontDoor> {
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
