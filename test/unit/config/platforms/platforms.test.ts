import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import test from 'node:test';
import { PROFILE_NAMES } from '../../../../server/config/platforms/names.ts';
import type { Surroundings } from '../../../../server/config/platforms/platform.ts';
import { profileOf } from '../../../../server/config/platforms/platforms.ts';
import { NOWHERE as nothing } from '../../../set-up/surroundings.ts';
import { readConfig, type Sources } from '../../../../server/config/read-config.ts';

function serve(sources: Partial<Sources>): ReturnType<typeof readConfig> & { readonly kind: 'serve' } {
  const command = readConfig({ argv: [], env: {}, cwd: tmpdir(), ...sources });
  assert.ok(command.kind === 'serve');
  return command;
}

/** What shows each platform, alone. */
const signs: readonly [profile: string, around: Partial<Surroundings>][] = [
  ['azure-functions', { env: { FUNCTIONS_CUSTOMHANDLER_PORT: '41234' } }],
  ['azure-functions', { env: { FUNCTIONS_HTTPWORKER_PORT: '41234' } }],
  ['vertex', { env: { AIP_MODE: 'PREDICTION' } }],
  ['kserve', { isFolder: (path) => path === '/mnt/models' }],
  ['sagemaker', { argv: ['serve'] }],
  ['sagemaker', { isFolder: (path) => path === '/opt/ml/model' }],
  ['sagemaker', { env: { SAGEMAKER_BIND_TO_PORT: '8082' } }],
  ['app-service', { env: { WEBSITE_SITE_NAME: 'site' } }],
  ['azureml', { env: { AZUREML_MODEL_DIR: '/models' } }],
  ['azureml', { env: { AZUREML_ENTRY_SCRIPT: 'score.py' } }],
  ['plain', {}],
  ['plain', { argv: ['serve', '--port', '8000'] }],
  ['plain', { env: { PORT: '8080', K_SERVICE: 'cloud-run' } }],
  ['plain', { env: { AIP_MODE: 'TRAINING' } }],
  ['plain', { env: { WEBSITE_SITE_NAME: '' } }],
];

for (const [profile, around] of signs)
  test(`${JSON.stringify(around)}${around.isFolder === undefined ? '' : ' with a folder'} shows ${profile}`, () => {
    const { platform, why } = profileOf('auto', { ...nothing, ...around });
    assert.equal(platform.name, profile);
    assert.notEqual(why, '');
  });

test("a variable of the author's image does not hide the platform that starts it", () => {
  const env = { AZUREML_ENTRY_SCRIPT: 'score.py', AZUREML_MODEL_DIR: '/models' };
  const starts: [string, Partial<Surroundings>][] = [
    ['azure-functions', { env: { ...env, FUNCTIONS_CUSTOMHANDLER_PORT: '1' } }],
    ['vertex', { env: { ...env, AIP_MODE: 'PREDICTION' } }],
    ['sagemaker', { env, argv: ['serve'] }],
    ['app-service', { env: { ...env, WEBSITE_SITE_NAME: 'site' } }],
  ];
  for (const [profile, around] of starts) assert.equal(profileOf('auto', { ...nothing, ...around }).platform.name, profile);
});

test('a volume or an argument does not hide the platform whose own variables are set', () => {
  for (const env of [{ WEBSITE_SITE_NAME: 'site' }, { IOTEDGE_WORKLOADURI: 'unix:///w' }, { AIP_MODE: 'PREDICTION' }])
    for (const volume of ['/mnt/models', '/opt/ml/model']) {
      const { platform } = profileOf('auto', { ...nothing, env, argv: ['serve'], isFolder: (path) => path === volume });
      assert.ok(['app-service', 'iot-edge', 'vertex'].includes(platform.name), `${JSON.stringify(env)} ${volume}`);
    }
});

test("Azure ML's model may lie below /mnt/models, and its user may have a STORAGE_URI", () => {
  const profile = (env: Record<string, string>, isFolder = (path: string): boolean => path === '/mnt/models'): string =>
    profileOf('auto', { ...nothing, env, isFolder }).platform.name;
  assert.equal(profile({ AZUREML_MODEL_DIR: '/mnt/models/wine/1' }), 'azureml');
  assert.equal(profile({ AZUREML_MODEL_DIR: '/mnt/models' }), 'kserve', 'an image may name it');
  assert.equal(profile({ AZUREML_MODEL_DIR: '/var/azureml-app/wine' }), 'kserve', 'an image may name another');
  assert.equal(
    profile({ AZUREML_ENTRY_SCRIPT: 'score.py', STORAGE_URI: 's3://mine' }, () => false),
    'azureml',
  );
  assert.equal(profile({ AZUREML_ENTRY_SCRIPT: 'score.py', STORAGE_URI: 's3://mine' }), 'kserve', 'KServe brings the folder, too');
});

for (const name of PROFILE_NAMES)
  test(`--profile ${name} takes that profile, whatever shows itself`, () => {
    for (const sources of [{ argv: ['--profile', name] }, { env: { SCORING_PROFILE: name, WEBSITE_SITE_NAME: 'site' } }])
      assert.equal(serve(sources).profile.platform.name, name);
  });

test('a wrong profile names the right ones', () => {
  assert.throws(
    () => serve({ argv: ['--profile', 'sage-maker'] }),
    /--profile: expected one of auto, azure-functions, .*, plain, got "sage-maker"/,
  );
});

test('a flag, a variable and config.json win over what a platform says, and it wins over the default', () => {
  const env = { WEBSITE_SITE_NAME: 'site' };
  assert.equal(serve({}).config.port, 5001);
  assert.equal(serve({ env }).config.port, 80);
  assert.equal(serve({ env: { ...env, WEBSITES_PORT: '8081' } }).config.port, 8081);
  assert.equal(serve({ env: { ...env, WEBSITES_PORT: '8081', PORT: '8082' } }).config.port, 8082);
  assert.equal(serve({ env: { ...env, PORT: '8082' }, argv: ['--port', '8083'] }).config.port, 8083);
});

test('a wrong port of a platform is reported with its variable and the name of the profile', () => {
  assert.throws(
    () => serve({ env: { WEBSITE_SITE_NAME: 'site', WEBSITES_PORT: 'eighty' } }),
    /profile app-service: WEBSITES_PORT: expected a whole number/,
  );
  assert.throws(
    () => serve({ env: { AIP_MODE: 'PREDICTION', AIP_HTTP_PORT: 'x' } }),
    /profile vertex: AIP_HTTP_PORT: expected a whole number/,
  );
  const env = { FUNCTIONS_CUSTOMHANDLER_PORT: 'x' };
  assert.throws(() => serve({ env }), /profile azure-functions: FUNCTIONS_CUSTOMHANDLER_PORT: expected a whole number/);
});

test('a platform that starts containers for a model of its user never gets the sample', () => {
  for (const argv of [['--profile', 'kserve'], ['--profile', 'vertex'], ['serve']]) assert.notDeepEqual(serve({ argv }).named, []);
  assert.deepEqual(serve({}).named, []);
});
