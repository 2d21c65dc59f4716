import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import test from 'node:test';
import { options, type Config, type Option } from '../../../server/config/config.ts';
import { readConfig } from '../../../server/config/read-config.ts';

const KEY = '11111111-2222-3333-4444-555555555555';
const CONNECTION = `InstrumentationKey=${KEY}`;

function read(env: Record<string, string>, argv: string[] = []): { config: Config; warnings: readonly string[] } {
  const command = readConfig({ argv, env, cwd: tmpdir() });
  assert.ok(command.kind === 'serve');
  return command;
}

/** Wrong values of the variables that platforms set, and what the options are then. */
const rows: readonly (readonly [name: string, wrong: readonly string[], then: Partial<Config>])[] = [
  ['OTEL_TRACES_SAMPLER_ARG', ['abc', '2', '-1', '0,5', 'NaN'], { traceShare: 1 }],
  ['OTEL_SDK_DISABLED', ['maybe', '1', 'yes'], { otelDisabled: false }],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', ['collector:4317', 'grpc://collector:4317', 'http://', '/v1'], { otlpEndpoint: '' }],
  ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', ['collector', 'grpc://collector:4317'], { otlpEndpoint: '' }],
  ['APPLICATIONINSIGHTS_CONNECTION_STRING', ['x', 'InstrumentationKey=1', `${CONNECTION};IngestionEndpoint=ftp://x`], {}],
  ['AML_APP_INSIGHTS_ENABLED', ['asdf', 'enabled'], { appInsightsEnabled: false }],
  ['APP_INSIGHTS_LOG_RESPONSE_ENABLED', ['no!'], { appInsightsResponses: false }],
  ['SERVER_VERSION_LOG_RESPONSE_ENABLED', ['notgood', '2'], { serverVersionHeader: false }],
  ['SEPERATE_HEALTH_ENDPOINT', ['asdf'], { separateHealthEndpoint: false }],
  ['AZUREML_MDC_ENABLED', ['x'], { mdcSidecarEnabled: false }],
  ['AZUREML_MDC_SAMPLE_RATE', ['x', '101', '0.5'], { mdcSidecarPercentage: 100 }],
  ['AZUREML_MDC_PORT', ['x', '0', '70000', 'tcp://10.0.0.1:50011'], { mdcSidecarPort: 50_011 }],
  ['AML_MODEL_DC_STORAGE_ENABLED', ['x'], { mdcStorageEnabled: false }],
  ['AML_MDC_STORAGE_ENABLED', ['x'], { mdcStorageEnabled: false }],
  ['AML_MODEL_DC_STORAGE', ['foo=s3cr3t', 'AccountName=a'], { mdcStorage: '' }],
  ['HTTP_X_MS_SERVER_VERSION', ['a\nb', 'snow☃'], { serverVersion: '' }],
  ['AZUREML_MDC_HOST', ['a b', 'http://sidecar', '['], { mdcSidecarHost: '127.0.0.1' }],
  ['AML_MODEL_DC_DEBUG', ['x'], { mdcDebug: false }],
];

for (const [name, wrong, then] of rows)
  test(`a wrong value of ${name} is a warning that names it, and stops nothing`, () => {
    for (const value of wrong) {
      const { config, warnings } = read({ [name]: value });
      assert.deepEqual({ ...config }, { ...read({}).config, ...then }, value);
      assert.equal(warnings.length, 1, value);
      assert.match(warnings[0] ?? '', new RegExp(`^${name}(: expected |=tcp:)`));
      assert.match(warnings[0] ?? '', /is ignored|counts as false/);
    }
  });

test('each variable that a platform sets stops nothing, or takes any text', () => {
  const platforms = /^(?:OTEL_|APPLICATIONINSIGHTS_|AML_APP_INSIGHTS_|AZUREML_MDC_|AML_M|HTTP_X_MS_|HOSTNAME$|WORKSPACE_NAME$)/;
  for (const row of Object.values<Option<unknown>>(options))
    for (const name of row.env.filter((each) => platforms.test(each)))
      for (const value of ['?', '-1', 'tcp://10.0.0.1:80', '\n', '{}', 'x'.repeat(100_000)]) read({ [name]: value });
});

/** Variables that show no platform alone, with values that would be wrong there. */
const FOREIGN = {
  AIP_HTTP_PORT: 'x',
  AIP_HEALTH_ROUTE: '?',
  AIP_PREDICT_ROUTE: '',
  AIP_STORAGE_URI: 'gs://none',
  WEBSITES_PORT: 'x',
  WEBSITE_WARMUP_PATH: 'a b',
  SM_MODEL_DIR: '/none',
  K_SERVICE: 'x',
  SCORING_SERVER_PORT: 'tcp://10.0.0.1:5001',
  SCORING_SERVER_PORT_5001_TCP: 'tcp://10.0.0.1:5001',
  SCORING_PORT: 'tcp://10.0.0.1:5001',
  WORKERS_PORT: 'tcp://10.0.0.1:5001',
};

test('variables of platforms that do not show themselves stop nothing, and nothing is told of them', () => {
  const { config, warnings } = read(FOREIGN);
  assert.deepEqual({ ...config }, { ...read({}).config });
  assert.deepEqual(warnings, []);
});

test('variables of a platform stop nothing where another profile is named', () => {
  const env = {
    AIP_MODE: 'PREDICTION',
    SAGEMAKER_BIND_TO_PORT: 'x',
    SAGEMAKER_SAFE_PORT_RANGE: 'x-y',
    STORAGE_URI: 's3://none',
    WEBSITE_SITE_NAME: 'x',
    FUNCTIONS_CUSTOMHANDLER_PORT: 'x',
  };
  for (const SCORING_PROFILE of ['plain', 'azureml']) {
    const { config, warnings } = read({ ...FOREIGN, ...env, SCORING_PROFILE });
    assert.deepEqual({ ...config }, { ...read({ SCORING_PROFILE }).config });
    assert.deepEqual(warnings, []);
  }
});

test('an ignored variable is as if it were unset: the next name counts', () => {
  const endpoints = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'grpc://a', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://b' };
  assert.equal(read(endpoints).config.otlpEndpoint, 'http://b/v1/traces');
  assert.equal(read({ AML_MODEL_DC_STORAGE_ENABLED: 'x', AML_MDC_STORAGE_ENABLED: 'true' }).config.mdcTraces, true);
});

test('a secret is in no warning', () => {
  for (const [name, value] of [
    ['APPLICATIONINSIGHTS_CONNECTION_STRING', 'InstrumentationKey=s3cr3t'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'grpc://user:s3cr3t@collector'],
    ['AML_MODEL_DC_STORAGE', 'AccountKey=s3cr3t'],
  ] as const)
    assert.doesNotMatch(read({ [name]: value }).warnings.join(), /s3cr3t/);
});

test('wrong values of own options, and of flags, end the start', () => {
  for (const [name, value] of [
    ['PORT', 'http'],
    ['APP_INSIGHTS_LOG_OUTPUT_ENABLED', 'x'],
    ['MDC_SAMPLING_RATE', 'x'],
    ['AZUREML_LOG_LEVEL', 'loud'],
    ['WORKER_COUNT', 'x'],
  ] as const)
    assert.throws(() => read({ [name]: value }), { code: 'usage' }, name);
  for (const argv of [
    ['--otel-traces-sampler-arg', 'abc'],
    ['--aml-app-insights-enabled', 'asdf'],
    ['--server-version-log-response-enabled=notgood'],
  ])
    assert.throws(() => read({}, argv), { code: 'usage' }, argv.join(' '));
});
