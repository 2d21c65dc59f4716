import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'node:test';
import { options, type Option } from '../../server/config/config.ts';
import { folder } from '../set-up/folder.ts';
import { makeCertificate } from './certificate.ts';
import { SCRIPTS, ServerProcess } from './start-server.ts';

/** Nothing listens there, so that every delivery fails and is logged. */
const NOWHERE = '127.0.0.1:1';
const MARKS_OF_FILES = /S3cretMark|UzNjcmV0TWFyaw/;
const MARKS = /S3cretMark|5ec4e7ed|user-s3cret/;

/** A key as requests send it. */
const KEY = 'S3cretMarkOfAKey';

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
  keys: `primary:${KEY},second:S3cretMarkOfAnother`,
  'a key that is too short': 's3cret:S3cretMark',
  headers: 'x-key=S3cretMark,authorization: Bearer S3cretMark',
  'no value of any kind': 'S3cretMark \u00e9\u0001',
};

/** Variables that make the server deliver something. */
const DELIVERS = /^(?:MDC|AML|OTEL|APPLICATIONINSIGHTS)_/;

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

/**
 * Starts a server, uses it where it gets ready, and ends it. Answers all that it wrote.
 * @param isOpen the key of the requests is right
 */
async function everythingWritten(env: Readonly<Record<string, string>>, isOpen = true): Promise<string> {
  const server = new ServerProcess([], { cwd: folder(), env: { ...SWITCHES, ...env } });
  const written: string[] = [];
  try {
    const ready = server
      .line(({ msg }) => msg === 'ready')
      .then(
        () => true,
        () => false,
      );
    if (await ready) {
      // With the key, with a wrong one, and without any.
      const { status } = await server.score({ a: 1 }, { authorization: `Bearer ${KEY}` });
      if (isOpen) assert.equal(status, 200);
      for (const headers of [{ authorization: 'Bearer S3cretMarkOfNobody' }, { 'x-api-key': 'S3cretMarkOfNobody' }, {}])
        await server.score({ a: 1 }, headers).then((answer) => answer.text());
      written.push(await server.metrics());
      // A sink that fails is logged after the second in which records wait for others.
      if (Object.keys(env).some((name) => DELIVERS.test(name)))
        await Promise.race([server.line(({ msg }) => /cannot be delivered|data collection ends/.test(msg)), delay(1500)]);
      server.child.kill('SIGTERM');
    }
    await server.exited;
    return [...written, ...server.lines.map((line) => JSON.stringify(line)), server.stderr].join('\n');
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

/** The value would lock out the requests of these tests. Tokens have tests of their own. */
const locksOut = ({ env: [name] }: Option<unknown>, value: string): boolean =>
  name.startsWith('JWT_') || (name === 'SCORING_KEYS' && value !== VALUES['keys']);

const isSink = ({ env: [name] }: Option<unknown>): boolean => /^(?:MDC|AML_MODEL_DC)_/.test(name);

for (const row of secrets.filter(isSink))
  for (const [what, value] of Object.entries(VALUES)) {
    // What parsers refuse is told by one function for all options: unit tests prove it.
    if (!takes(row, value)) continue;
    const [name] = row.env;
    test(`nothing that the server writes shows a secret: ${name} is ${what}`, async () => {
      const others = secrets
        .filter((other) => !isSink(other) && !locksOut(other, value) && takes(other, value))
        .map(({ env }) => [env[0], value]);
      const sink = name.startsWith('MDC_HTTP_') ? { MDC_HTTP_URL: ADDRESS, [name]: value } : { [name]: value };
      assert.doesNotMatch(await everythingWritten({ ...Object.fromEntries(others), ...sink }), MARKS);
    });
  }

const TOKENS = { JWT_ISSUER: 'issuer', JWT_AUDIENCE: 'audience' };
/** What an option needs beside it. Where tokens are asked for, no request here gets in. */
const BESIDE: Readonly<Record<string, Readonly<Record<string, string>>>> = { JWT_JWKS_URL: TOKENS, JWT_JWKS_FILE: TOKENS };

for (const row of secrets.filter((each) => !isSink(each))) {
  const [name] = row.env;
  const beside = BESIDE[name];
  const right = Object.entries(VALUES).find(([, value]) => takes(row, value) && (beside !== undefined || !locksOut(row, value)));
  test(`nothing that the server writes shows a secret: ${name} alone is ${right?.[0]}`, async () => {
    assert.ok(right !== undefined, 'VALUES has no value that this option takes');
    assert.doesNotMatch(await everythingWritten({ ...beside, [name]: right[1] }, beside === undefined), MARKS);
  });
}

const PEM = (what: string): string => `-----BEGIN ${what}-----\nUzNjcmV0TWFyaw==\nS3cretMark\n-----END ${what}-----\n`;
/** Files with secrets, and what each holds: right for its option, or wrong. */
const FILES: readonly (readonly [option: string, what: string, text: string])[] = [
  ['SCORING_KEYS_FILE', 'keys', `primary:${KEY}\nsecond:S3cretMarkOfAnother\n`],
  ['SCORING_KEYS_FILE', 'a line that is no key', `primary:${KEY}\nS3cretMark short\n`],
  ['SCORING_KEYS_FILE', 'other bytes', 'S3cretMark\0\u00e9\n'],
  ['TLS_KEY_FILE', 'a broken key', PEM('PRIVATE KEY')],
  ['TLS_KEY_FILE', 'an encrypted key', PEM('ENCRYPTED PRIVATE KEY')],
  ['TLS_KEY_FILE', 'no key', 'S3cretMark\n'],
  ['JWT_JWKS_FILE', 'no JSON', '{"keys": [{"kty": "oct", "k": "S3cretMark"'],
  ['JWT_JWKS_FILE', 'a secret key', '{"keys": [{"kty": "oct", "alg": "HS256", "k": "UzNjcmV0TWFyaw", "kid": "S3cretMark"}]}'],
];
for (const [option, what, text] of FILES)
  test(`nothing that the server writes shows the content of a file: ${option} has ${what}`, async () => {
    const [file, certificate] = [join(folder(), 'file'), makeCertificate(folder()).certificate];
    writeFileSync(file, text);
    const others = option === 'TLS_KEY_FILE' ? { TLS_CERT_FILE: certificate } : BESIDE[option];
    assert.doesNotMatch(await everythingWritten({ ...others, [option]: file }, what === 'keys'), MARKS_OF_FILES);
  });

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
