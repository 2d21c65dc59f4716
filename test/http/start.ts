import supertest from 'supertest';
import type { TestContext } from 'node:test';
import { type Access, openAccess } from '../../server/access/access.ts';
import { ratesOf } from '../../server/access/client-rates.ts';
import { Certificates } from '../../server/access/certificates.ts';
import { options as table, type Config } from '../../server/config/config.ts';
import { buildApp, buildMetricsApp, buildProbesApp } from '../../server/http/app.ts';
import { PLAIN_PROFILE, type Profile } from '../../server/config/platforms/platforms.ts';
import { DeepCheck } from '../../server/http/deep-check.ts';
import { listen, type Listening } from '../../server/http/listen.ts';
import { Lifecycle } from '../../server/lifecycle.ts';
import { Metrics } from '../../server/telemetry/metrics.ts';
import { LogLines, type LogLine } from '../set-up/log-lines.ts';
import { FakeScorer } from './fake-scorer.ts';

const defaults = Object.fromEntries(Object.entries(table).map(([name, option]) => [name, option.default])) as unknown as Config;

interface Started {
  readonly scorer: FakeScorer;
  readonly lifecycle: Lifecycle;
  readonly metrics: Metrics;
  /** Undefined: the ports speak no TLS. */
  readonly certificates: Certificates | undefined;
  readonly listening: Listening;
  readonly app: ReturnType<typeof buildApp>;
  readonly lines: LogLine[];
  /** Resolves with the first line, past or future, that the test accepts. */
  readonly line: (accepts: (line: LogLine) => boolean) => Promise<LogLine>;
  readonly port: number;
  readonly http: ReturnType<typeof supertest>;
}

/** The default options, on any free port of 127.0.0.1, with changes. */
export function config(changes: Partial<Config>): Config {
  return { ...defaults, host: '127.0.0.1', port: 0, healthPort: 0, ...changes };
}

/**
 * The app on a free port of 127.0.0.1, with a fake scorer, ready; closed after the test.
 * @param given decides who may call, in place of what the options say
 * @param profile undefined: no platform has started the server
 */
export async function start(
  t: TestContext,
  changes: Partial<Config> = {},
  swaggerFiles = '/nowhere',
  lifecycle = readyLifecycle(),
  given?: Access,
  profile: Profile = PLAIN_PROFILE,
): Promise<Started> {
  const options = config(changes);
  const logged = new LogLines();
  const { log, lines } = logged;
  const scorer = new FakeScorer();
  const metrics = new Metrics();
  const access = given ?? (await openAccess(options, log));
  const rates = ratesOf(options);
  const certificates = options.tlsCertFile === '' ? undefined : await Certificates.open(options, { log, periodMs: 10 });
  const parts = {
    config: options,
    certificates,
    scorer,
    access,
    rates,
    lifecycle,
    metrics,
    log,
    serverVersion: 'scoring-server/0.0.0',
    swaggerFiles,
    profile,
    deepCheck: options.deepCheck ? new DeepCheck(scorer, log) : undefined,
  };
  const app = buildApp(parts);
  const listening = await listen(app, options, {
    metrics: options.metricsPort === 0 ? undefined : buildMetricsApp(parts),
    tls: certificates && { certificates, probes: buildProbesApp(parts) },
  });
  t.after(async () => {
    listening.closeAll();
    await listening.close();
  });
  const port = listening.ports[0] ?? 0;
  const line = logged.line.bind(logged);
  return { scorer, lifecycle, metrics, certificates, listening, app, lines, line, port, http: supertest(`http://127.0.0.1:${port}`) };
}

function readyLifecycle(): Lifecycle {
  const lifecycle = new Lifecycle();
  lifecycle.to('ready');
  return lifecycle;
}
