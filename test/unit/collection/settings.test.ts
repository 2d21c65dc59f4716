import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { decideCollection, rateOf, type Decision } from '../../../server/collection/settings.ts';
import { pathSegment } from '../../../server/collection/path-segment.ts';
import { readConfig } from '../../../server/config/read-config.ts';

function decide(env: Record<string, string>, modelMap = '/nowhere/map.json'): Decision {
  const command = readConfig({ argv: [], env, cwd: '/app' });
  assert.equal(command.kind, 'serve');
  return decideCollection(command.config, modelMap);
}

function file(t: TestContext, content: unknown): string {
  const folder = mkdtempSync(join(tmpdir(), 'mdc-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'config.json');
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

const rates = ({ settings }: Decision, ...names: string[]): number[] =>
  names.map((name) => (settings === undefined ? Number.NaN : rateOf(settings, name)));

test('nothing is collected where nothing asks for it, and where it is switched off', () => {
  assert.equal(decide({}).settings, undefined);
  assert.equal(decide({ SERVICE_NAME: 'x', MDC_DEPLOYMENT: 'y', MDC_SPILL_DIR: '/spill' }).settings, undefined);
  assert.equal(decide({ MDC_SINK: 'off', MDC_DIR: '/data' }).settings, undefined);
  assert.equal(decide({ AML_MODEL_DC_STORAGE_ENABLED: 'false', AML_MODEL_DC_STORAGE: ACCOUNT }).settings, undefined);
});

test('files are the default where collection is asked for and no platform is found', () => {
  for (const env of [{ MDC_SINK: 'file' }, { MDC_COLLECTIONS: 'request' }, { MDC_SAMPLING_RATE: '1' }])
    assert.deepEqual(decide(env).settings?.sink, { kind: 'file', dir: '/app/modelDataCollector', maxBytes: 2 ** 30 });
  assert.deepEqual(decide({ MDC_DIR: 'data', MDC_DIR_MAX_BYTES: '0' }).settings?.sink, { kind: 'file', dir: '/app/data', maxBytes: 0 });
});

const ACCOUNT = 'DefaultEndpointsProtocol=https;AccountName=a;AccountKey=a2V5;EndpointSuffix=core.windows.net';

test("the switches of Azure's v1 store nothing without a storage: they fill no disk that nobody named", () => {
  // A wrong value of the platform counts as none: platform-variables.test.ts.
  for (const storage of [{}, { AML_MODEL_DC_STORAGE: 'foo=s3cret' }]) {
    const { settings, warnings } = decide({ AML_MODEL_DC_STORAGE_ENABLED: 'true', ...storage });
    assert.equal(settings, undefined);
    assert.match(warnings.join(), /^AML_MODEL_DC_STORAGE_ENABLED stores nothing/);
  }
  // In Azure's server this one asks for traces alone.
  assert.deepEqual(decide({ AML_MDC_STORAGE_ENABLED: 'true' }), { settings: undefined, warnings: [] });
  for (const name of ['AML_MODEL_DC_STORAGE_ENABLED', 'AML_MDC_STORAGE_ENABLED']) {
    const sink = decide({ [name]: 'true', AML_MODEL_DC_STORAGE: ACCOUNT, MDC_COLLECTIONS: 'request' }).settings?.sink;
    assert.deepEqual(sink, { kind: 'azure-blob', connectionString: ACCOUNT, accountUrl: '', container: 'modeldata' });
  }
  assert.equal(decide({ AML_MODEL_DC_STORAGE_ENABLED: 'true', MDC_DIR: 'data' }).settings?.sink.kind, 'file');
  assert.throws(() => decide({ MDC_SINK: 'azure-blob', AML_MODEL_DC_STORAGE: 'foo=s3cret' }), {
    code: 'usage',
    message: /^MDC_SINK: the sink azure-blob needs an address/,
  });
});

test('a user name in an address becomes a header, and a given header comes first', () => {
  const http = (env: Record<string, string>): unknown => decide(env).settings?.sink;
  const basic = `Basic ${Buffer.from('user:p@ss').toString('base64')}`;
  const url = 'https://user:p%40ss@x/y?z=1';
  assert.deepEqual(http({ MDC_HTTP_URL: url }), {
    kind: 'http',
    url: 'https://x/y?z=1',
    headers: { authorization: basic },
    format: 'structured',
    access: undefined,
  });
  assert.deepEqual(http({ MDC_HTTP_URL: url, MDC_HTTP_FORMAT: 'batched', MDC_HTTP_HEADERS: 'Authorization=Bearer%20t, a=b=' }), {
    kind: 'http',
    url: 'https://x/y?z=1',
    headers: { authorization: 'Bearer t', a: 'b=' },
    format: 'batched',
    access: undefined,
  });
});

test('the connection string of an event hub is address, format and key', () => {
  const hub = 'Endpoint=sb://ns.servicebus.windows.net/;SharedAccessKeyName=send;SharedAccessKey=a+b/c==;EntityPath=hub';
  const resource = 'https://ns.servicebus.windows.net/hub';
  assert.deepEqual(decide({ MDC_EVENT_HUB_CONNECTION_STRING: hub }).settings?.sink, {
    kind: 'http',
    url: `${resource}/messages`,
    headers: {},
    format: 'event-hubs',
    access: { resource, keyName: 'send', key: 'a+b/c==' },
  });
  for (const [beside, message] of [
    [{ MDC_HTTP_URL: 'http://x/' }, /expected no MDC_HTTP_URL beside it, got both/],
    [{ MDC_HTTP_FORMAT: 'batched' }, /expected event-hubs .*, got batched/],
  ] as const)
    assert.throws(() => decide({ MDC_EVENT_HUB_CONNECTION_STRING: hub, ...beside }), { code: 'usage', message });
});

test('the address that is given names the sink, and a sink without one is a usage error', () => {
  assert.equal(decide({ MDC_HTTP_URL: 'http://x/' }).settings?.sink.kind, 'http');
  assert.equal(decide({ MDC_BLOB_ACCOUNT_URL: 'https://a.blob.core.windows.net' }).settings?.sink.kind, 'azure-blob');
  for (const sink of ['http', 'azure-blob']) assert.throws(() => decide({ MDC_SINK: sink }), { code: 'usage', message: /is not set/ });
  assert.throws(() => decide({ MDC_SINK: 'kafka' }), { code: 'usage', message: /expected one of auto, off, file/ });
  assert.throws(() => decide({ MDC_SAMPLING_RATE: '10' }), { code: 'usage', message: /from 0 to 1/ });
});

test('the address of an account may be that of its container, and must be one that the account can be asked at', () => {
  const accountUrl = (url: string): unknown => {
    const sink = decide({ MDC_BLOB_ACCOUNT_URL: url }).settings?.sink;
    return sink?.kind === 'azure-blob' && sink.accountUrl;
  };
  for (const path of ['', '/', '/modeldata', '/modeldata/'])
    assert.equal(accountUrl(`https://a.blob.core.windows.net${path}?sig=a%2Bb`), 'https://a.blob.core.windows.net/?sig=a%2Bb');
  assert.equal(accountUrl('http://azurite:10000/account?sig=x'), 'http://azurite:10000/account?sig=x');
  assert.equal(accountUrl('http://azurite:10000/account/modeldata?sig=x'), 'http://azurite:10000/account?sig=x');
  for (const [url, message] of [
    ['https://a.blob.core.windows.net/other?sig=x', /MDC_BLOB_CONTAINER names the container/],
    ['http://a.blob.core.windows.net', /https:\/\/ address, or one with a SAS/],
  ] as const)
    assert.throws(() => accountUrl(url), { code: 'usage', message });
});

test("the platform's file gives collections and rates, in both spellings, and keeps payloads to itself", (t) => {
  const collections = {
    model_inputs: { enabled: true, sampleRatePercentage: 50 },
    model_outputs: { enabled: 'True', sampling_percentage: 25 },
    other: { enabled: false },
    request: { enabled: true },
    response: { enabled: true },
  };
  const path = file(t, { collections, runMode: 'cloud', captureHeaders: ['X-Tenant', 'Authorization'] });
  const decided = decide({ AZUREML_MDC_CONFIG_PATH: path, AZUREML_MDC_PORT: '6000' });
  assert.deepEqual(decided.settings?.sink, { kind: 'azureml', url: 'http://127.0.0.1:6000/modeldata/log' });
  assert.deepEqual(rates(decided, 'model_inputs', 'model_outputs', 'other', 'unknown', 'request', 'response'), [0.5, 0.25, 0, 0, 0, 0]);
  assert.deepEqual(decided.settings?.captureHeaders, ['x-tenant']);
  assert.match(decided.warnings.join(), /Authorization/);
  const asked = decide({ AZUREML_MDC_CONFIG_PATH: path, MDC_COLLECTIONS: 'request,model_inputs', MDC_SAMPLING_RATE: '0.1' });
  assert.deepEqual(rates(asked, 'request', 'model_inputs', 'response'), [0.1, 0.1, 0]);
});

test("the platform's file may say local, and may be broken, which stops nothing", (t) => {
  const local = file(t, { collections: { a: { enabled: true } }, runMode: 'local' });
  assert.equal(decide({ AZUREML_MDC_CONFIG_PATH: local }).settings?.sink.kind, 'stdout');
  const broken = decide({ AZUREML_MDC_CONFIG_PATH: file(t, '{') });
  assert.equal(broken.settings, undefined);
  assert.match(broken.warnings.join(), /AZUREML_MDC_CONFIG_PATH: expected a JSON file/);
  assert.deepEqual(rates(decide({ AZUREML_MDC_ENABLED: 'true', AZUREML_MDC_SAMPLE_RATE: '30' }), 'anything', 'request'), [0.3, 0]);
});

test("the platform's file is broken where it has another form, and that stops nothing", (t) => {
  for (const [wrong, reason] of [
    [null, 'the file: expected an object'],
    [[], 'the file: expected an object'],
    [{ collections: [] }, 'collections: expected an object'],
    [{ collections: { a: true } }, 'a: expected an object'],
    [{ collections: { a: { enabled: true, sampleRatePercentage: 'half' } } }, 'a: expected a percentage'],
    [{ collections: {}, captureHeaders: 'x-tenant' }, 'captureHeaders: expected texts'],
    [{ collections: {}, captureHeaders: [1] }, 'captureHeaders: expected texts'],
  ] as const) {
    const { settings, warnings } = decide({ AZUREML_MDC_CONFIG_PATH: file(t, wrong) });
    assert.equal(settings, undefined);
    assert.match(warnings.join(), new RegExp(`AZUREML_MDC_CONFIG_PATH: expected a JSON file.* TypeError: ${reason}$`));
  }
  const texts = file(t, { collections: { a: { enabled: 'true', sampleRatePercentage: '50' } }, captureHeaders: null });
  assert.deepEqual(rates(decide({ AZUREML_MDC_CONFIG_PATH: texts }), 'a'), [0.5]);
});

test('the debugging switch of v1 prints its rows, and asks for nothing else', () => {
  const alone = decide({ AML_MODEL_DC_DEBUG: 'true' });
  assert.deepEqual([alone.settings?.sink.kind, alone.settings?.prints], ['stdout', false]);
  assert.deepEqual(rates(alone, 'inputs', 'general', 'request', 'response', 'model_inputs'), [1, 1, 0, 0, 0]);
  const beside = decide({ AML_MODEL_DC_DEBUG: 'true', MDC_DIR: '/data' });
  assert.deepEqual([beside.settings?.sink.kind, beside.settings?.prints], ['file', true]);
  assert.deepEqual(rates(beside, 'inputs', 'request'), [1, 1]);
  assert.equal(decide({ AML_MODEL_DC_DEBUG: 'true', MDC_SINK: 'off' }).settings, undefined);
});

test("payloads are left to the platform's proxy wherever its collector is the sink, unless they are asked for", () => {
  const chosen = { MDC_SINK: 'azureml' };
  assert.deepEqual(rates(decide(chosen), 'request', 'response', 'model_inputs'), [0, 0, 1]);
  assert.deepEqual(rates(decide({ ...chosen, MDC_SAMPLING_RATE: '0.5' }), 'request', 'response', 'model_inputs'), [0, 0, 0.5]);
  assert.deepEqual(rates(decide({ ...chosen, MDC_COLLECTIONS: 'request,rows' }), 'request', 'response', 'rows'), [1, 0, 1]);
  assert.deepEqual(rates(decide({ MDC_SINK: 'http', MDC_HTTP_URL: 'http://x/' }), 'request', 'response'), [1, 1]);
});

test('v1 deployments say who they are in their map of models', (t) => {
  const map = file(t, {
    accountContext: { subscriptionId: 'S', resourceGroupName: 'G', accountName: 'W' },
    modelsInfo: { diabetes: { '9': {}, '10': {} } },
  });
  const { settings } = decide({ MDC_DIR: 'data' }, map);
  assert.deepEqual([settings?.workspace, settings?.modelVersions], ['S/G/W', { diabetes: '10' }]);
});

test('a map of models of another form is none', (t) => {
  for (const wrong of [null, { accountContext: 1 }, { accountContext: { accountName: 1 } }, { modelsInfo: { diabetes: null } }]) {
    const { settings } = decide({ MDC_DIR: 'data' }, file(t, wrong));
    assert.deepEqual([settings?.workspace, settings?.modelVersions], ['default/default/default', {}]);
  }
});

test('the service is a segment of paths: its name where it has one, no title with a space', () => {
  const endpoint = (name: string | undefined): string | undefined =>
    decide({ MDC_DIR: 'data', ...(name === undefined ? {} : { SERVICE_NAME: name }) }).settings?.endpoint;
  assert.deepEqual([undefined, '', 'ML service', 'Churn model', 'a/b', 'ml-service'].map(endpoint), [
    'ml-service',
    'ml-service',
    'ml-service',
    'Churn model',
    'a_b',
    'ml-service',
  ]);
});

test('a name cannot leave its folder', () => {
  assert.deepEqual(['a/b', '..', '', 'a\\b\n', 'ML service'].map(pathSegment), ['a_b', '_..', '_', 'a_b_', 'ML service']);
});
