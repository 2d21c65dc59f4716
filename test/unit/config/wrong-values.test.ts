import { BlobServiceClient } from '@azure/storage-blob';
import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import test from 'node:test';
import { options, type Config, type Option } from '../../../server/config/config.ts';
import { storageConnection } from '../../../server/config/connection-strings.ts';
import { readConfig } from '../../../server/config/read-config.ts';

const KEY = Buffer.from('s3cret').toString('base64');
const ACCOUNT = `AccountName=account;AccountKey=${KEY}`;
const HUB = `Endpoint=sb://ns.servicebus.windows.net/;SharedAccessKeyName=send;SharedAccessKey=${KEY};EntityPath=hub`;

/** Right and wrong values of the server's own options. */
const OWN: Partial<Record<keyof Config, { readonly right: readonly string[]; readonly wrong: readonly string[] }>> = {
  jwtJwksUrl: {
    right: ['https://a/keys', 'http://127.0.0.1:1/?v=2'],
    wrong: ['s3cret', '/keys', 'file:///s3cret', 'https://s3cret:%zz@a/'],
  },
  jwtClaims: {
    right: ['roles=a', 'roles=a, roles=b,tid=t', 'https%3A%2F%2Fa%2Fb=c%2Cd%3De', 'sub=system:serviceaccount:a:b'],
    wrong: ['roles', '=a', 'roles=', 'roles=a=b', 'roles=%zz', 'a,b=c'],
  },
  rateLimitPerSecond: {
    right: ['0', '0.0', '0.001', '0.2', '.5', '1e3', '1000000'],
    wrong: ['-1', '0.0009', '1e-300', '1000001', '10/s', 'Infinity', 'x'],
  },
  rateLimitBurst: { right: ['0', '10'], wrong: ['-1', '1.5', 'x'] },
  scoringKeys: {
    right: [
      '1234567890123456',
      'a:1234567890123456, b.c-d_e:abcdefghijklmnop',
      'AAAAAAAAAAAAAAAAAA+/AA==',
      '1234567890123456\nabcdefghijklmnop',
    ],
    wrong: [
      's3cret',
      'name:s3cret',
      's3cret s3cret s3cret',
      's3cret-s3cret-s3cret:s3cret:s3cret-s3cret',
      'b@d s3cret:1234567890123456',
      ':s3cret-s3cret-s3cret',
      's3cret-s3cret-s3creté',
      'a:s3cret-s3cret-s3cret,a:s3cret-s3cret-other',
      's3cret-s3cret-s3cret,s3cret-s3cret-s3cret',
      'primary:s3cret-s3cret-s3cret,s3cret-s3cret-other',
      `s3cret${'x'.repeat(4096)}`,
      ' , ',
    ],
  },
  metricsKeyRequired: { right: ['false', 'off'], wrong: ['maybe'] },
  accessLogFields: { right: ['client', 'client,user-agent'], wrong: ['ip', 'client;bytes'] },
  trustedProxies: { right: ['10.0.0.1', '10.0.0.0/8,fd00::/8'], wrong: ['10.0.0.0/33', 'proxy', '10.0.0'] },
  modelName: { right: ['iris', 'a b', '...'], wrong: ['a/b', '.', '..', 'x'.repeat(256)] },
  profile: { right: ['auto', 'plain', 'KServe'], wrong: ['kubeflow', 'k serve', '1'] },
  port: { right: ['0', '65535'], wrong: ['-1', '65536', '80a', 'http'] },
  grpcPort: { right: ['0'], wrong: ['65536', 'x'] },
  healthPort: { right: ['5000'], wrong: ['65536', 'x'] },
  metricsPort: { right: ['9090'], wrong: ['65536', 'x'] },
  debugPort: { right: ['9229'], wrong: ['65536', 'x'] },
  deepCheck: { right: ['true', 'off'], wrong: ['maybe', 'deep'] },
  keepAliveTimeoutMs: { right: ['0'], wrong: ['1s', '-1', '2147483648'] },
  drainDelayMs: { right: ['0'], wrong: ['1s', '-1'] },
  drainTimeoutMs: { right: ['8000'], wrong: ['1s', '-1'] },
  queueMaxRequests: { right: ['0'], wrong: ['many', '1000001'] },
  queueMaxBytes: { right: ['256M'], wrong: ['lots', '-1'] },
  queueWaitTimeoutMs: { right: ['0'], wrong: ['1s'] },
  scoringTimeoutMs: { right: ['1'], wrong: ['0', '1m'] },
  cancelGraceMs: { right: ['0'], wrong: ['1s'] },
  streamIdleTimeoutMs: { right: ['1'], wrong: ['0'] },
  bodyLimitBytes: { right: ['1M', '1MiB'], wrong: ['1T', 'x'] },
  answerLimitBytes: { right: ['1M'], wrong: ['x'] },
  answersMaxBytes: { right: ['1G'], wrong: ['x'] },
  jsonNan: { right: ['refuse'], wrong: ['no'] },
  nonFinite: { right: ['null'], wrong: ['NaN'] },
  executionProvider: { right: ['cpu', 'CUDAExecutionProvider'], wrong: ['openvino', 'gpu'] },
  cudaDeviceIds: { right: ['0,1'], wrong: ['a', '0,0', ','] },
  workerCount: { right: ['1', 'auto'], wrong: ['0', '1025', 'all'] },
  workerConcurrency: { right: ['32', 'auto'], wrong: ['0', '4097', 'x'] },
  workerMemoryBytes: { right: ['1G'], wrong: ['half'] },
  intraOpThreads: { right: ['0'], wrong: ['x', '1025'] },
  maxBatchSize: { right: ['auto', '8'], wrong: ['0', 'x'] },
  maxBatchDelayMs: { right: ['0'], wrong: ['x'] },
  warmUp: { right: ['off'], wrong: ['false'] },
  sharedSizes: { right: ['ignore'], wrong: ['x'] },
  workerSecrets: {
    right: ['SCORING_KEYS', 'MDC_HTTP_URL, OTEL_EXPORTER_OTLP_HEADERS'],
    wrong: ['PATH', 'SCORING_KEYS,HOME', 'scoring_keys'],
  },
  workerUser: { right: ['1000', '1000:0', 'nobody'], wrong: ['-1', '2147483648', '1000:node', 'a b', '1000:', ':0'] },
  workerPermissionModel: { right: ['on', 'off'], wrong: ['true', 'yes'] },
  workerReadPaths: { right: ['/data', '/data, /opt/x.json'], wrong: ['data', '/data,./x'] },
  workerWritePaths: { right: ['/data'], wrong: ['~/data', '*'] },
  initTimeoutMs: { right: ['1'], wrong: ['0', 'x'] },
  replacementAttempts: { right: ['1'], wrong: ['0'] },
  replacementBackOffMs: { right: ['0'], wrong: ['x'] },
  logFormat: { right: ['json'], wrong: ['xml'] },
  accessLog: { right: ['off'], wrong: ['maybe'] },
  statusPage: { right: ['on'], wrong: ['maybe'] },
  mdcSink: { right: ['file'], wrong: ['kafka'] },
  mdcCollections: { right: ['request', 'Request, model_inputs'], wrong: ['a b', 'a/b', '-a', ',', 'ä'] },
  mdcSamplingRate: { right: ['0.5', '1'], wrong: ['10', '-1', '50%'] },
  mdcDirMaxBytes: { right: ['0', '64M', '1G'], wrong: ['1M', 'x', '-1'] },
  mdcBlobConnectionString: {
    right: [
      `DefaultEndpointsProtocol=https;${ACCOUNT};EndpointSuffix=core.windows.net`,
      `DefaultEndpointsProtocol=http;${ACCOUNT};BlobEndpoint=http://127.0.0.1:10000/account;`,
      'BlobEndpoint=https://a.blob.core.windows.net/;SharedAccessSignature=sv=2024-11-04&sig=s3cret',
      'UseDevelopmentStorage=true',
    ],
    wrong: [
      'foo',
      ACCOUNT,
      `DefaultEndpointsProtocol=https;${ACCOUNT}`,
      `DefaultEndpointsProtocol=ftp;${ACCOUNT};EndpointSuffix=core.windows.net`,
      'DefaultEndpointsProtocol=https;AccountName=account;AccountKey=s3cret!;EndpointSuffix=core.windows.net',
      `DefaultEndpointsProtocol=https;AccountKey=${KEY};EndpointSuffix=core.windows.net`,
      `DefaultEndpointsProtocol=https;${ACCOUNT};BlobEndpoint=account`,
      'BlobEndpoint=https://a.blob.core.windows.net/;SharedAccessSignature=s3cret',
      'SharedAccessSignature=sv=2024-11-04&sig=s3cret',
      HUB,
    ],
  },
  mdcBlobAccountUrl: { right: ['https://a.blob.core.windows.net'], wrong: ['a.blob.core.windows.net', 'ftp://s3cret', 'https://'] },
  mdcBlobContainer: {
    right: ['modeldata', 'a-1', '123', '$root'],
    wrong: ['ab', 'Upper', 'a--b', '-ab', 'ab-', 'a_b', 'x'.repeat(64), 'a/b'],
  },
  mdcHttpUrl: {
    right: ['http://x/', 'https://user:p%40ss@x/y?z'],
    wrong: ['x', '/hook', 'ftp://s3cret/', 'kafka://s3cret', 'http://s3cret:%zz@x/', 'http://%ff@x/'],
  },
  mdcHttpFormat: { right: ['structured', 'batched', 'kafka-rest', 'event-hubs'], wrong: ['binary'] },
  mdcHttpHeaders: {
    right: ['aeg-sas-key=abc/+==', 'a=b, c=d%2C%25e'],
    wrong: ['s3cret', '=s3cret', 'a b=s3cret', 'a=', 'a=%zz', 'a=%0As3cret', 'a=%E2%98%83', 'Host=s3cret', 'content-length=1', ','],
  },
  mdcEventHub: {
    right: [HUB, HUB.replace('sb:', 'https:')],
    wrong: [
      'foo',
      'Endpoint=s3cret;SharedAccessKey=s3cret',
      HUB.replace(';EntityPath=hub', ''),
      HUB.replace('sb:', 'amqp:'),
      HUB.replace('hub', 'a/../b'),
      HUB.replace(KEY, ''),
      HUB.replace('=send', '='),
    ],
  },
  mdcFlushTimeoutMs: { right: ['0'], wrong: ['x'] },
  mdcDeployment: { right: ['blue', 'a b'], wrong: ['a/b', 'a\\b', '.', '..', 'a\nb', 'x'.repeat(201)] },
  mdcCaptureHeaders: { right: ['x-a', 'x-a, x-b'], wrong: ['x a', 'x-a:', 'x-a;x-b', 'ä', ','] },
};

/** Every text is right for these, or another check finds the wrong ones. */
const ANY_TEXT: Partial<Record<keyof Config, string>> = {
  entryScript: 'discovery refuses a path without a script: exit code 3',
  model: 'discovery refuses a path without a model: exit code 3',
  modelDir: 'discovery refuses a path without a folder: exit code 3',
  appRoot: 'discovery refuses a path without a folder',
  sourceDirectory: 'a folder that is not there is passed over, as in Azure ML',
  configFile: 'a file that cannot be read is a usage error',
  pythonPath: 'the plan refuses a path without an interpreter, if the script is in Python: exit code 2',
  host: 'the listener refuses an address that the machine does not have: exit code 2',
  corsOrigins: 'an origin of another form is one that no browser sends',
  jwtJwksFile: 'the plan refuses a path without keys: exit code 2',
  jwtIssuer: 'any text can be an issuer',
  jwtAudience: 'any text can be an audience',
  scoringKeysFile: 'the plan refuses a path without keys: exit code 2',
  tlsCertFile: 'the front door refuses a path without a certificate: exit code 2',
  tlsKeyFile: 'the front door refuses a path without a key: exit code 2',
  tlsClientCaFile: 'the front door refuses a path without a certificate: exit code 2',
  serviceName: 'a title',
  serviceVersion: 'a title',
  servicePathPrefix: 'a text in swagger.json',
  mdcDir: 'a folder that cannot be made is a warning, and an operator can mend it',
  mdcSpillDir: 'a folder that cannot be used is a warning, and an operator can mend it',
};

/** Platforms set these for every container: platform-variables.test.ts. */
const OF_PLATFORMS =
  /^(?:AZUREML_|AML_|OTEL_|APP_INSIGHTS_|APPLICATIONINSIGHTS_|HOSTNAME|WORKSPACE_NAME|SEPERATE_|SERVER_VERSION_|HTTP_X_MS_)/;

const rows = Object.entries<Option<unknown>>(options) as [keyof Config, Option<unknown>][];

/** Options without which another one contradicts itself. */
const TOKENS = { JWT_JWKS_URL: 'https://issuer.example/', JWT_ISSUER: 'a', JWT_AUDIENCE: 'b' };
const BESIDE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  JWT_JWKS_URL: TOKENS,
  JWT_CLAIMS: TOKENS,
  RATE_LIMIT_BURST: { RATE_LIMIT_PER_SECOND: '1' },
};

function problemOf(name: string, value: string): string | undefined {
  try {
    readConfig({ argv: [], env: { ...BESIDE[name], [name]: value }, cwd: tmpdir() });
    return undefined;
  } catch (thrown) {
    assert.equal((thrown as { code?: unknown }).code, 'usage');
    return (thrown as Error).message;
  }
}

test('every option of the server itself has wrong values in this table, or takes any text', () => {
  const missing = rows.filter(([key, { env }]) => !OF_PLATFORMS.test(env[0]) && OWN[key] === undefined && ANY_TEXT[key] === undefined);
  assert.deepEqual(
    missing.map(([key]) => key),
    [],
  );
});

for (const [key, { env, secret }] of rows) {
  const values = OWN[key];
  if (values === undefined) continue;
  test(`${env[0]}: a wrong value stops the start, with what was expected${secret === true ? ', and is not shown' : ' and what came'}`, () => {
    for (const value of values.right) assert.equal(problemOf(env[0], value), undefined, value);
    for (const value of values.wrong) {
      const problem = problemOf(env[0], value);
      assert.ok(problem?.startsWith(`${env[0]}: `) === true, `${value}: ${problem}`);
      assert.match(problem, /expected /);
      // What is expected has no secret, and is shown as it is.
      assert.doesNotMatch(problem, /the address|\[redacted\]/);
      if (secret !== true) assert.ok(problem.endsWith(`, got ${JSON.stringify(value)}`), problem);
      else {
        assert.match(problem, / \(the value is not shown because it is a secret\)$/);
        assert.ok(!problem.includes('s3cret') && !problem.includes(KEY), problem);
      }
    }
  });
}

test("what the parser of connection strings takes, Azure's SDK takes too", () => {
  const { right = [], wrong = [] } = OWN.mdcBlobConnectionString ?? {};
  for (const value of right) assert.ok(BlobServiceClient.fromConnectionString(storageConnection(value)).url.startsWith('http'), value);
  // The SDK finds fewer mistakes.
  assert.throws(() => BlobServiceClient.fromConnectionString(wrong[0] ?? ''));
});
