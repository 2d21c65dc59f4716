import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'node:test';
import { options, type Option } from '../../server/config/config.ts';
import { folder } from '../set-up/folder.ts';
import { SCRIPTS, ServerProcess } from './start-server.ts';

/** Nothing listens there, so that every delivery fails and is logged. */
const NOWHERE = '127.0.0.1:1';
const MARKS = /S3cretMark|5ec4e7ed|user-s3cret/;

const ADDRESS = `http://user-s3cret:S3cretMark@${NOWHERE}/hooks/S3cretMark?sv=2024-11-04&sig=S3cretMark`;
const ACCOUNT = `DefaultEndpointsProtocol=http;AccountName=account;AccountKey=S3cretMark==;BlobEndpoint=http://${NOWHERE}/account`;
const INSIGHTS = `InstrumentationKey=5ec4e7ed-0000-4000-8000-000000000000;IngestionEndpoint=http://${NOWHERE}/`;

/** Values of which each secret option takes some, and refuses others. */
const VALUES: Readonly<Record<string, string>> = {
  'an address': ADDRESS,
  'an address that resolves to nothing': 'https://user-s3cret:S3cretMark@s3cret.invalid/S3cretMark?S3cretMark',
  'an account': ACCOUNT,
  'an account without a name': 'AccountKey=S3cretMark',
  'an instrumentation key': '5ec4e7ed-0000-4000-8000-000000000000',
  'a connection string of Application Insights': INSIGHTS,
  headers: 'x-key=S3cretMark,authorization: Bearer S3cretMark',
  'no value of any kind': 'S3cretMark \u00e9\u0001',
};

/** What makes an option count that nothing else asks for. */
const SWITCHES = {
  AML_MODEL_DC_STORAGE_ENABLED: 'true',
  AML_APP_INSIGHTS_ENABLED: 'true',
  MDC_FLUSH_TIMEOUT_MS: '300',
  DRAIN_DELAY_MS: '0',
  DRAIN_TIMEOUT_MS: '1000',
  AZUREML_LOG_LEVEL: 'debug',
  AZUREML_ENTRY_SCRIPT: join(SCRIPTS, 'echo.ts'),
};

/** Starts a server, uses it where it gets ready, and ends it. Answers all that it wrote. */
async function everythingWritten(env: Readonly<Record<string, string>>): Promise<string> {
  const server = new ServerProcess([], { cwd: folder(), env: { ...SWITCHES, ...env } });
  try {
    const ready = server
      .line(({ msg }) => msg === 'ready')
      .then(
        () => true,
        () => false,
      );
    if (await ready) {
      assert.equal((await server.score({ a: 1 }, { 'api-key': env['SCORING_KEYS'] ?? '' })).status, 200);
      // A sink that fails is logged after the second in which records wait for others.
      await Promise.race([server.line(({ msg }) => /cannot be delivered|data collection ends/.test(msg)), delay(1500)]);
      server.child.kill('SIGTERM');
    }
    await server.exited;
    return [...server.lines.map((line) => JSON.stringify(line)), server.stderr].join('\n');
  } finally {
    await server.stop();
  }
}

const secrets = Object.values<Option<unknown>>(options).filter(({ secret }) => secret === true);

/** The value is right: the server starts with it. */
const takes = ({ parse }: Option<unknown>, value: string): boolean => {
  try {
    parse(value);
    return true;
  } catch {
    return false;
  }
};

/** Rules for callers: without the others, or with a key, no request of these tests would count. */
const isAccess = ({ env: [name] }: Option<unknown>): boolean => /^(?:SCORING_KEYS|JWT_)/.test(name);
const isSink = ({ env: [name] }: Option<unknown>): boolean => /^(?:MDC|AML_MODEL_DC)_/.test(name);

for (const row of secrets.filter(isSink))
  for (const [what, value] of Object.entries(VALUES)) {
    // What parsers refuse is told by one function for all options: unit tests prove it.
    if (!takes(row, value)) continue;
    const [name] = row.env;
    test(`nothing that the server writes shows a secret: ${name} is ${what}`, async () => {
      const others = secrets.filter((other) => !isSink(other) && !isAccess(other) && takes(other, value)).map(({ env }) => [env[0], value]);
      const sink = name.startsWith('MDC_HTTP_') ? { MDC_HTTP_URL: ADDRESS, [name]: value } : { [name]: value };
      assert.doesNotMatch(await everythingWritten({ ...Object.fromEntries(others), ...sink }), MARKS);
    });
  }

const TELEMETRY = {
  APPLICATIONINSIGHTS_CONNECTION_STRING: INSIGHTS,
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `http://user-s3cret:S3cretMark@${NOWHERE}/v1/traces?key=S3cretMark`,
  OTEL_EXPORTER_OTLP_HEADERS: 'api-key=S3cretMark,=S3cretMark,x',
  OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
  OTEL_TRACES_EXPORTER: 'zipkin',
};

test('no line shows a secret of OpenTelemetry that warnings are about', async () => {
  const output = await everythingWritten(TELEMETRY);
  assert.match(output, /zipkin is not supported/);
  assert.doesNotMatch(output, MARKS);
});

const PROXIES = [
  'http://user-s3cret:S3cretMark@127.0.0.1:1',
  'http://user-s3cret:S3cretMark@:1:1/',
  'socks5://user-s3cret:S3cretMark@127.0.0.1:1',
];
for (const proxy of PROXIES)
  test(`no line shows the password of a proxy: ${proxy.replace(/.*@/, '')}`, async () => {
    // Not with NODE_USE_ENV_PROXY: Node itself then quotes a wrong proxy, before this server runs.
    const through = { http_proxy: proxy, https_proxy: proxy, HTTP_PROXY: proxy, HTTPS_PROXY: proxy };
    const sinks = [
      { MDC_HTTP_URL: 'https://s3cret.invalid/x' },
      { MDC_BLOB_CONNECTION_STRING: ACCOUNT.replace('127.0.0.1', 's3cret.invalid') },
    ];
    for (const sink of sinks) {
      const insights = INSIGHTS.replace('127.0.0.1', 's3cret.invalid');
      const otlp = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://s3cret.invalid:4318', APPLICATIONINSIGHTS_CONNECTION_STRING: insights };
      assert.doesNotMatch(await everythingWritten({ ...through, ...sink, ...otlp }), MARKS);
    }
  });

/** Its errors quote an address, as those of libraries do. Once it has exited, no other starts. */
const QUOTES = `
import { existsSync, writeFileSync } from 'node:fs';
const failed = () => new Error('connect ' + process.env.FEATURE_STORE + ' failed', { cause: new Error(process.env.FEATURE_STORE) });
export function init() {
  if (process.env.STARTS === 'false' || existsSync('exited')) throw failed();
}
export function run(data) {
  if (data === 'reject') void Promise.reject(failed());
  if (data !== 'exit') throw failed();
  writeFileSync('exited', '');
  process.exit(1);
}
`;

for (const starts of [true, false])
  test(`no line shows the keys of an address that a script's error quotes, ${starts ? 'in run() and in replacements' : 'at the start'}`, async () => {
    const cwd = folder();
    const script = join(cwd, 'score.mjs');
    writeFileSync(script, QUOTES);
    const env = { ...SWITCHES, FEATURE_STORE: ADDRESS, STARTS: String(starts), AZUREML_ENTRY_SCRIPT: script, REPLACEMENT_ATTEMPTS: '1' };
    const server = new ServerProcess([], { cwd, env });
    try {
      if (starts) {
        await server.ready();
        assert.equal((await server.score('reject')).status, 500);
        await server.line(({ msg }) => msg.startsWith('unhandled rejection'));
        assert.equal((await server.score('exit')).status, 503);
      }
      assert.equal((await server.exited).code, 3);
      const output = [...server.lines.map((line) => JSON.stringify(line)), server.stderr].join('\n');
      assert.match(output, /connect http:\/\/127\.0\.0\.1:1 failed/);
      assert.doesNotMatch(output, MARKS);
    } finally {
      await server.stop();
    }
  });
