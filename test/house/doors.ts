import { type IncomingMessage, request } from 'node:http';
import { options, type Option } from '../../server/config/config.ts';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import type { RouteAccess } from '../../server/access/access.ts';
import { defaultLimits } from '../../server/grpc/limits.ts';
import { grpcMethods } from '../../server/grpc/methods.ts';
import { appRoutes, buildApp } from '../../server/http/app.ts';
import { metricsRoutes } from '../../server/http/metrics-route.ts';
import { Lifecycle } from '../../server/lifecycle.ts';
import { Metrics } from '../../server/telemetry/metrics.ts';
import { FakeScorer } from '../http/fake-scorer.ts';
import { config } from '../http/start.ts';
import { LogLines } from '../set-up/log-lines.ts';

const NEEDS: Readonly<Record<RouteAccess, string>> = {
  open: 'nothing',
  key: 'key',
  login: 'nothing; key with `METRICS_KEY_REQUIRED`',
};
/** The files of the page are one row. */
const PAGE_FILE = /^\/status\/.+/;

/** What listens, with the defaults of the options. */
export function portsTable(): string {
  const { port, host, healthPort, grpcPort, metricsPort, debugPort } = options;
  const address = `\`SCORING_HOST\` (${host.default})`;
  const row = ({ env: [name], default: number }: Option<number>, ...cells: readonly string[]): string =>
    `| \`${name}\` | ${number === 0 ? 'off' : number} | ${cells.join(' | ')} |`;
  return [
    '| port | default | address | protocol | open |',
    '|---|---|---|---|---|',
    row(port, address, 'HTTP/1.1; HTTPS with `TLS_CERT_FILE`', 'always'),
    row(healthPort, address, 'HTTP/1.1', 'with `SEPERATE_HEALTH_ENDPOINT`; with `TLS_CERT_FILE`, for probes alone'),
    row(grpcPort, address, 'gRPC; over TLS with `TLS_CERT_FILE`', 'if it is set'),
    row(metricsPort, address, 'HTTP/1.1; HTTPS with `TLS_CERT_FILE`', 'if it is set'),
    row(debugPort, '127.0.0.1', "Node's inspector, which runs any code", 'if it is set, but not for a script in Python'),
  ].join('\n');
}

/** Every route and method, and what it asks for. */
export async function routesTable(): Promise<string> {
  const parts = {
    config: config({ statusPage: true, metricsKeyRequired: true }),
    scorer: new FakeScorer(),
    lifecycle: new Lifecycle(),
    metrics: new Metrics(),
    log: new LogLines().log,
    serverVersion: '',
    swaggerFiles: '/nowhere',
  };
  const app = buildApp(parts);
  await app.listen({ host: '127.0.0.1', port: 0 });
  try {
    const { port } = app.server.address() as AddressInfo;
    const routes = [...appRoutes(parts), ...metricsRoutes(parts.config, parts.metrics)].filter(({ path }) => !path.includes('*'));
    const rows = await Promise.all(
      routes
        .filter(({ path }) => !PAGE_FILE.test(path))
        .map(async ({ path, access }) => {
          const shown = path === '/status' ? '`/status`, `/status/...`, with `STATUS_PAGE`' : `\`${path}\``;
          return `| ${shown} | ${await methodsOf(port, path)} | ${NEEDS[access]} |`;
        }),
    );
    const grpc = Array.from(grpcMethods(parts, { ...defaultLimits, answerIdleMs: 0 }).methods, ([path = '', { access }]) => {
      return `| \`${path.slice(1)}\` | gRPC | ${NEEDS[access]} |`;
    });
    return ['| route | methods | needs |', '|---|---|---|', ...rows, ...grpc, '| any other | any | key |'].join('\n');
  } finally {
    await app.close();
  }
}

/** The methods that a refusal of another one names. */
async function methodsOf(port: number, path: string): Promise<string> {
  const asked = request({ port, host: '127.0.0.1', method: 'DELETE', path: path.replaceAll(/:\w+/g, 'x'), agent: false }).end();
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  answer.resume();
  await once(answer, 'close');
  return answer.headers.allow ?? '';
}
