import assert from 'node:assert/strict';
import { mkdirSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { withServer } from '../../e2e/start-server.ts';
import { writeModel } from '../../models/models.ts';
import { folder } from '../../set-up/folder.ts';
import { python } from '../../set-up/python.ts';
import { pythons, skip } from '../contract/contract.ts';
import { exchange } from '../contract/exchange.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const SERVER = fileURLToPath(new URL('../../../server/python/', import.meta.url));
const PICTURE = Buffer.concat([Buffer.from('P6 2 3 255\n'), Buffer.alloc(18, 128)]);

/** Sends each body to the script, and resolves to the values of the answers. */
async function score(script: string, interpreter: string, bodies: readonly string[], env: Record<string, string> = {}): Promise<unknown[]> {
  const values: unknown[] = [];
  await withServer(
    ['--entry-script', script],
    async (server) => {
      await server.ready();
      for (const body of bodies) {
        const answer = await exchange(await server.port(), { body });
        assert.equal(answer?.status, 200, answer?.body.toString());
        values.push(JSON.parse(answer.body.toString()));
      }
    },
    { cwd: join(HERE, 'scripts'), env: { AZUREML_INFERENCE_PYTHON_PATH: interpreter, PYTHONDONTWRITEBYTECODE: '1', ...env } },
  );
  return values;
}

describe('packages of a script', { skip }, () => {
  it('are used together: pandas, scikit-learn, ONNX Runtime and Pillow', async () => {
    const models = folder();
    mkdirSync(join(models, 'm'));
    renameSync(writeModel('ridge', models), join(models, 'm', 'model.onnx'));
    const body = JSON.stringify({
      rows: [
        { a: 2, b: 3 },
        { a: 4, b: 5 },
      ],
      picture: PICTURE.toString('base64'),
    });
    const { plain } = await pythons();
    const [value] = await score('everything.py', plain, [body], { AZUREML_MODEL_DIR: join(models, 'm') });
    const { mean, forest, picture } = value as { mean: unknown; forest: number[]; picture: unknown };
    assert.deepEqual(mean, { a: 3, b: 4 });
    assert.equal(forest.length, 2);
    assert.deepEqual(picture, [1, 1]);
  });

  const names = [
    'azureml_inference_server_http.api.aml_request',
    'azureml_inference_server_http.api.aml_response',
    'azureml.contrib.services.aml_request:AMLRequest',
    'azureml.contrib.services.aml_response:AMLResponse',
    'azureml.ai.monitoring',
    'azureml.monitoring',
    'azureml.core.model',
  ];

  it('are ours where the environment has none of them', async () => {
    const { plain } = await pythons();
    for (const path of await score('whose.py', plain, names)) assert.ok(String(path).startsWith(SERVER), String(path));
  });

  it('are those of the environment where it has them', async () => {
    const { peer } = await pythons();
    const installed = dirname(dirname(peer));
    const [request, response, aliasedRequest, aliasedResponse, monitoring, oldMonitoring] = await score('whose.py', peer, names);
    for (const path of [request, response, aliasedRequest, aliasedResponse, monitoring])
      assert.ok(String(path).startsWith(installed), String(path));
    assert.ok(String(oldMonitoring).startsWith(SERVER), 'what the environment lacks is ours, in the same namespace');
  });

  it('are those of the environment where it has azureml-ai-monitoring alone', async () => {
    const interpreter = await python(join(HERE, 'monitoring'));
    const [monitoring, request] = await score('whose.py', interpreter, ['azureml.ai.monitoring', 'azureml.contrib.services.aml_request']);
    assert.ok(String(monitoring).startsWith(dirname(dirname(interpreter))), String(monitoring));
    assert.ok(String(request).startsWith(SERVER), String(request));
  });
});
