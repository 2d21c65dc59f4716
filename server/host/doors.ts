import type { Certificates } from '../access/certificates.ts';
import type { Config } from '../config/config.ts';
import type { Profile } from '../config/platforms/platforms.ts';
import type { DoorParts } from '../exchange/services.ts';
import type { FrontDoor } from './drain.ts';
import { VERSION } from './serving-plan.ts';
import { reportAccess, reportListening } from './start-report.ts';

export interface OpenDoor extends FrontDoor {
  readonly port: number;
}

type Parts = Omit<DoorParts, 'config'> & { readonly profile: Profile };

/**
 * Opens the ports, one after the other. The gRPC door is loaded only if its port is set.
 * @throws ServerError listen_failed, usage
 */
export async function* openDoors(config: Config, parts: Parts): AsyncGenerator<OpenDoor> {
  const [{ buildApp, buildMetricsApp, buildProbesApp }, { listen }, { DeepCheck }] = await Promise.all([
    import('../http/app.ts'),
    import('../http/listen.ts'),
    import('../http/deep-check.ts'),
  ]);
  const certificates = config.tlsCertFile === '' ? undefined : await openCertificates(config, parts);
  const deepCheck = config.deepCheck ? new DeepCheck(parts.scorer, parts.log) : undefined;
  const all = { ...parts, certificates, config, serverVersion: config.serverVersion, swaggerFiles: config.appRoot, deepCheck };
  const http = await listen(buildApp(all), config, {
    metrics: config.metricsPort === 0 ? undefined : buildMetricsApp(all),
    tls: certificates && { certificates, probes: buildProbesApp(all) },
    portVariable: parts.profile.platform.portVariable,
  });
  reportListening(parts.log, config, VERSION, http.ports);
  reportAccess(parts.log, config, parts.access);
  const [port = config.port] = http.ports;
  yield { ...http, port };
  if (config.grpcPort === 0) return;
  const { listenGrpc } = await import('../grpc/listen.ts');
  const grpc = await listenGrpc({ ...parts, certificates, config });
  parts.log.info({ host: config.host, port: grpc.port }, 'listening for gRPC');
  yield grpc;
}

/** Loads what TLS needs. @throws ServerError usage */
async function openCertificates(config: Config, { log, metrics }: Pick<DoorParts, 'log' | 'metrics'>): Promise<Certificates> {
  const [{ Certificates }, { addTlsMetrics }] = await Promise.all([
    import('../access/certificates.ts'),
    import('../telemetry/tls-metrics.ts'),
  ]);
  const certificates = await Certificates.open(config, { log });
  addTlsMetrics(metrics.registry, certificates);
  return certificates;
}
