import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import test from 'node:test';
import { kserve } from '../../../../server/config/platforms/kserve.ts';
import type { Surroundings } from '../../../../server/config/platforms/platform.ts';
import { profileOf } from '../../../../server/config/platforms/platforms.ts';
import { NOWHERE } from '../../../set-up/surroundings.ts';
import { readConfig, type ServeCommand } from '../../../../server/config/read-config.ts';

const around = (parts: Partial<Surroundings>): Surroundings => ({ ...NOWHERE, ...parts });
const mounted = { isFolder: (path: string) => path === '/mnt/models' };

function serve(argv: readonly string[], env: Record<string, string> = {}): ServeCommand {
  const command = readConfig({ argv, env, cwd: tmpdir() });
  assert.ok(command.kind === 'serve');
  return command;
}

const refusal = (argv: readonly string[]): string => {
  try {
    serve(argv);
  } catch (thrown) {
    return (thrown as Error).message;
  }
  return assert.fail('expected a usage error');
};

test('KServe shows itself by its folder, its flags and its variable, and says by which', () => {
  assert.equal(kserve.detect(around(mounted)), '/mnt/models is there');
  assert.equal(kserve.detect(around({ argv: ['--http_port=8080'] })), '--http_port is given');
  assert.equal(kserve.detect(around({ argv: ['serve', '--model_name', 'iris'] })), '--model_name is given');
  assert.equal(kserve.detect(around({ env: { STORAGE_URI: 's3://bucket/iris' } })), 'STORAGE_URI is set');
});

test('Cloud Run and Knative are no KServe: the port comes by PORT, and there are no routes of a platform', () => {
  const env = { K_SERVICE: 'iris', K_REVISION: 'iris-1', K_CONFIGURATION: 'iris', PORT: '8080' };
  const { config, profile } = serve([], env);
  assert.deepEqual([profile.platform.name, profile.routes, config.port], ['plain', [], 8080]);
});

test('flags of this server do not show KServe', () => {
  assert.equal(serve(['--model-name=iris', '--model_dir=/models', '--grpc_port', '8081']).profile.platform.name, 'plain');
});

test('the port is 8080, the model is in /mnt/models where KServe brings one, and what a user gives wins', () => {
  assert.deepEqual(kserve.values(around({})), { PORT: '8080' });
  assert.deepEqual(kserve.values(around(mounted)), { PORT: '8080', AZUREML_MODEL_DIR: '/mnt/models' });
  assert.deepEqual(kserve.values(around({ env: { STORAGE_URI: 'gs://x' } })), { PORT: '8080', AZUREML_MODEL_DIR: '/mnt/models' });
  const { config } = serve(['--model_name=iris', '--http_port=9000', '--model_dir=/other'], { STORAGE_URI: 'gs://x' });
  assert.deepEqual([config.port, config.modelDir, config.modelName, config.grpcPort], [9000, '/other', 'iris', 0]);
  assert.deepEqual([serve(['--model_name=iris']).config.port, serve([], { STORAGE_URI: 'x', PORT: '7' }).config.port], [8080, 7]);
});

test('the sample is never served there', () => {
  assert.ok(serve(['--http_port=8080']).named.includes('the profile kserve'));
});

test('the flags of its servers are taken: they mean an option, or a warning says that they mean nothing', () => {
  const argv = ['--http_port', '9000', '--workers=3', '--enable_grpc=True', '--enable_docs_url', 'true', '--max_threads=4'];
  const { config, warnings } = serve(argv);
  assert.deepEqual([config.port, config.workerCount, config.grpcPort], [9000, 3, 8081]);
  assert.deepEqual(warnings, [
    '--enable-docs-url has no effect: the document of the routes is at /swagger.json',
    '--max-threads has no effect: threads of gRPC are of no use here',
  ]);
  assert.equal(serve(['--timeout-keep-alive', '90']).config.keepAliveTimeoutMs, 90_000);
  assert.equal(serve(['--enable_grpc=0']).config.grpcPort, 0);
  assert.equal(serve(['--enable_grpc=true', '--grpc_port=9001']).config.grpcPort, 9001);
  assert.equal(serve(['--grpc_port=9001', '--enable_grpc=true']).config.grpcPort, 9001);
  assert.equal(serve(['--port=7000', '--http_port=8080']).config.port, 7000);
});

test('flags that would ask for another server are refused with what to do', () => {
  assert.match(
    refusal(['--predictor_host=x']),
    /^--predictor-host: there is no such flag, because this server calls no predictor\. Let run/,
  );
  assert.match(refusal(['--enable_grpc=maybe']), /^--enable-grpc: expected true or false, got "maybe"$/);
  assert.match(refusal(['--enable_predictor_health_check']), /^--enable-predictor-health-check: there is no such flag, because/);
  assert.match(refusal(['--timeout-keep-alive=x']), /^--keep-alive-timeout-ms: expected a whole number/);
  assert.match(refusal(['--http_port']), /^--http-port: expected a value after it$/);
  assert.match(refusal(['--http_port=abc']), /^--port: expected a whole number from 0 to 65535, got "abc"$/);
});

test('a profile that is named needs nothing that shows it', () => {
  const { why, values, platform } = profileOf('kserve', around({}));
  assert.deepEqual([platform.name, why, values], ['kserve', 'SCORING_PROFILE names it', { PORT: '8080' }]);
});
