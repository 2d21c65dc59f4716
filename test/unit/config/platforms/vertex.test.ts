import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import test from 'node:test';
import { ServerError } from '../../../../server/errors.ts';
import type { Surroundings } from '../../../../server/config/platforms/platform.ts';
import { profileOf } from '../../../../server/config/platforms/platforms.ts';
import { vertex } from '../../../../server/config/platforms/vertex.ts';
import { NOWHERE } from '../../../set-up/surroundings.ts';
import { readConfig, type ServeCommand } from '../../../../server/config/read-config.ts';

const VERTEX = { AIP_MODE: 'PREDICTION' };
const around = (env: Record<string, string>, parts: Partial<Surroundings> = {}): Surroundings => ({
  ...NOWHERE,
  env: { ...VERTEX, ...env },
  ...parts,
});
const paths = (env: Record<string, string>): unknown[] => vertex.routes(around(env)).map(({ path, kind }) => [path, kind]);

function serve(env: Record<string, string>, argv: readonly string[] = []): ServeCommand {
  const command = readConfig({ argv, env: { ...VERTEX, ...env }, cwd: tmpdir() });
  assert.ok(command.kind === 'serve');
  return command;
}

test('Vertex AI shows itself by its mode, and no other mode is this one', () => {
  assert.equal(profileOf('auto', around({})).why, 'AIP_MODE is PREDICTION');
  assert.notEqual(profileOf('auto', around({ AIP_MODE: 'TRAINING' })).platform.name, 'vertex');
});

test('the port is that of AIP_HTTP_PORT, else 8080, and what a user gives wins', () => {
  assert.equal(serve({ AIP_HTTP_PORT: '7080' }).config.port, 7080);
  assert.equal(serve({}).config.port, 8080);
  assert.equal(serve({ AIP_HTTP_PORT: '7080' }, ['--port', '0']).config.port, 0);
  assert.throws(() => serve({ AIP_HTTP_PORT: 'x' }), { code: 'usage', message: /expected a whole number from 0 to 65535, got "x"/ });
});

test('the routes are those that it names, else its own for the endpoint', () => {
  assert.deepEqual(paths({ AIP_HEALTH_ROUTE: '/ping', AIP_PREDICT_ROUTE: '/a:b' }), [
    ['/ping', 'ready'],
    ['/a:b', 'instances'],
  ]);
  assert.deepEqual(paths({ AIP_ENDPOINT_ID: '12', AIP_DEPLOYED_MODEL_ID: '34' }), [
    ['/v1/endpoints/12/deployedModels/34', 'ready'],
    ['/v1/endpoints/12/deployedModels/34:predict', 'instances'],
  ]);
  assert.deepEqual(paths({}), []);
});

for (const path of ['predict', 'https://host/predict', '/a b', '/a?b=1', '/a#b', '/ä', '/%zz', '/a\n', ' /a'])
  test(`a route that is no path is refused: ${JSON.stringify(path)}`, () => {
    for (const variable of ['AIP_HEALTH_ROUTE', 'AIP_PREDICT_ROUTE'])
      assert.throws(
        () => serve({ [variable]: path }),
        (error) => error instanceof ServerError && error.code === 'usage' && error.message.startsWith(`${variable}: expected a path`),
      );
  });

test('the model is in the folder of AIP_STORAGE_URI, or in its bucket where that is mounted', () => {
  const folderOf = (uri: string, mounted: string[] = []): unknown =>
    vertex.values(around({ AIP_STORAGE_URI: uri }, { isFolder: (path) => mounted.includes(path) }))['AZUREML_MODEL_DIR'];
  assert.equal(folderOf('/models/iris'), '/models/iris');
  assert.equal(folderOf('file:///models/iris%201'), '/models/iris 1');
  assert.equal(folderOf('gs://my-bucket/a/b', ['/gcs/my-bucket/a/b']), '/gcs/my-bucket/a/b');
  assert.equal(folderOf('gs://my-bucket', ['/gcs/my-bucket']), '/gcs/my-bucket');
  assert.deepEqual(vertex.values(around({ AIP_STORAGE_URI: '' })), { PORT: '8080' });
});

for (const uri of ['gs://my-bucket/a', 'gs://../../etc', 'gs://', 's3://bucket/a', 'models', 'https://host/a', 'file://host/a'])
  test(`another place is refused with the reason and the cure: ${uri}`, () => {
    assert.throws(
      () => serve({ AIP_STORAGE_URI: uri }),
      (error) =>
        error instanceof ServerError &&
        error.code === 'usage' &&
        /^AIP_STORAGE_URI: expected a .*, got "/.test(error.message) &&
        (uri.startsWith('file:') || error.message.includes('Mount the bucket')),
    );
  });

test("a bucket that is not mounted does not matter where a user's own option names what is served", () => {
  for (const env of [{ AZUREML_MODEL_DIR: '/app/model' }, { MODEL_FILE: 'iris.onnx' }, { AZUREML_ENTRY_SCRIPT: 'score.py' }])
    assert.doesNotThrow(() => serve({ AIP_STORAGE_URI: 'gs://my-bucket/a', ...env }));
  assert.throws(() => serve({ AIP_STORAGE_URI: 'gs://my-bucket/a', MODEL_NAME: 'iris' }), {
    code: 'usage',
    message: /\/gcs\/my-bucket\/a is not mounted\. Mount/,
  });
});

test('the sample is never served there', () => {
  assert.ok(serve({}).named.includes('the profile vertex'));
});

test('another port than the one that Vertex AI calls is a warning', () => {
  assert.match(serve({ PORT: '5001', AIP_HTTP_PORT: '8081' }).warnings.join('\n'), /^PORT=5001: Vertex AI calls only port 8081$/m);
  assert.match(serve({ PORT: '5001' }).warnings.join('\n'), /^PORT=5001: Vertex AI calls only port 8080$/m);
  for (const env of [{}, { AIP_HTTP_PORT: '8081' }, { PORT: '0' }, { PORT: '5001', AIP_HTTP_PORT: 'x' }])
    assert.doesNotMatch(serve(env).warnings.join('\n'), /calls only port/);
});
