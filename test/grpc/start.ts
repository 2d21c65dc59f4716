import type { TestContext } from 'node:test';
import { type Access, openAccess } from '../../server/access/access.ts';
import { ratesOf } from '../../server/access/client-rates.ts';
import { Certificates } from '../../server/access/certificates.ts';
import type { Config } from '../../server/config/config.ts';
import type { GrpcLimits } from '../../server/grpc/limits.ts';
import { type GrpcListening, listenGrpc } from '../../server/grpc/listen.ts';
import { Lifecycle } from '../../server/lifecycle.ts';
import { Metrics } from '../../server/telemetry/metrics.ts';
import { FakeScorer } from '../http/fake-scorer.ts';
import { config } from '../http/start.ts';
import { LogLines, type LogLine } from '../set-up/log-lines.ts';
import { GrpcClient } from './client.ts';

interface Started {
  readonly scorer: FakeScorer;
  readonly lifecycle: Lifecycle;
  readonly metrics: Metrics;
  /** Undefined: the port speaks no TLS. */
  readonly certificates: Certificates | undefined;
  readonly listening: GrpcListening;
  readonly client: GrpcClient;
  readonly lines: LogLine[];
  /** Resolves with the first line, past or future, that the test accepts. */
  readonly line: (accepts: (line: LogLine) => boolean) => Promise<LogLine>;
}

/**
 * The gRPC front door on a free port of 127.0.0.1, with a fake scorer, ready, and a client; closed
 * after the test.
 * @param given decides who may call, in place of what the options say
 */
export async function start(
  t: TestContext,
  changes: Partial<Config> = {},
  limits: Partial<GrpcLimits> = {},
  given?: Access,
): Promise<Started> {
  const logged = new LogLines();
  const { log, lines } = logged;
  const scorer = new FakeScorer();
  const lifecycle = new Lifecycle();
  lifecycle.to('ready');
  const metrics = new Metrics();
  const options = config({ grpcPort: 0, modelName: 'wine', ...changes });
  const certificates = options.tlsCertFile === '' ? undefined : await Certificates.open(options, { log, periodMs: 10 });
  const parts = {
    scorer,
    certificates,
    access: given ?? (await openAccess(options, log)),
    rates: ratesOf(options),
    lifecycle,
    metrics,
    log,
    limits,
  };
  const listening = await listenGrpc({ config: options, ...parts });
  const client = new GrpcClient(listening.port);
  t.after(() => {
    client.close();
    listening.closeAll();
  });
  return { scorer, lifecycle, metrics, certificates, listening, client, lines, line: logged.line.bind(logged) };
}
