import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { withContainer } from '../container.ts';
import { buildUserImage, writeFiles, type Images } from '../images.ts';
import { MODEL, SAMPLE, SAMPLE_ANSWER, SCRIPT } from './sample.ts';

const mine = { mine: [SAMPLE_ANSWER] };

/** The ways in which a user's code and model come into a container. */
export function checkExtending(images: Images): void {
  const { engine, cpu } = images;

  test('`docker run IMAGE` alone serves the sample on 5001 and says so', () =>
    withContainer(engine, cpu, { port: false }, async (container) => {
      await container.ready();
      assert.deepEqual(await container.score(SAMPLE), SAMPLE_ANSWER);
      const ready = (await container.lines()).find(({ msg }) => msg === 'ready');
      assert.equal(ready?.['kind'], 'sample');
      assert.match(await container.logs(), /no entry script and no model is named or found: this is the sample/);
    }));

  test('three lines make a user image: its script is served, and the model beside it is found', async () => {
    const image = await buildUserImage(images, 'three-lines', {
      Dockerfile: `FROM ${cpu}\nCOPY score.ts model.onnx /var/azureml-app/\n`,
      'score.ts': SCRIPT,
      'model.onnx': MODEL,
    });
    await withContainer(engine, image, {}, async (container) => {
      await container.ready();
      assert.deepEqual(await container.score(SAMPLE), mine);
      assert.equal((await container.post({ data: [] })).status, 422);
    });
  });

  test('the example in TypeScript: `npm ci` as the user of the image brings its dependency', async () => {
    const image = await buildUserImage(images, 'typescript', join(images.context, 'docker/examples/typescript'), { BASE_IMAGE: cpu });
    await withContainer(engine, image, {}, async (container) => {
      await container.ready();
      assert.deepEqual(await container.score(SAMPLE), { progression: [11633.1] });
      const refused = await container.post({ data: [[1, 2]] });
      assert.deepEqual(
        [refused.status, await refused.json()],
        [422, { message: 'data.0: Too small: expected array to have exactly 10 items' }],
      );
      assert.equal(await container.exec('stat', '-c', '%u', '/var/azureml-app/node_modules/zod'), '1000');
      assert.doesNotMatch(await container.logs(), /MODULE_TYPELESS|"level":"(?:warn|error)"/);
    });
  });

  test('the example without code: an .onnx file is all there is', async () => {
    const image = await buildUserImage(images, 'onnx', join(images.context, 'docker/examples/onnx'), { BASE_IMAGE: cpu });
    await withContainer(engine, image, {}, async (container) => {
      await container.ready();
      assert.deepEqual(await container.score({ inputs: { X: SAMPLE.data } }), { outputs: { variable: [SAMPLE_ANSWER] } });
    });
  });

  test("code and model are mounted as Azure ML's local endpoints mount them", async () => {
    const folder = join(engine.folder, 'local-endpoint');
    writeFiles(folder, { 'code/onlinescoring/score.ts': SCRIPT, 'model/model.onnx': MODEL });
    const options = {
      port: false as const,
      flags: ['-v', `${folder}/code:/var/azureml-app/code`, '-v', `${folder}/model:/var/azureml-app/azureml-models/diabetes/1`],
      env: {
        AML_APP_ROOT: '/var/azureml-app/code/onlinescoring',
        AZUREML_ENTRY_SCRIPT: 'score.ts',
        AZUREML_MODEL_DIR: '/var/azureml-app/azureml-models/diabetes/1',
        AZUREML_INFERENCE_PYTHON_PATH: '/opt/miniconda/bin/python',
      },
      // The platform appends this to a custom image.
      args: ['runsvdir', '/var/runit'],
    };
    // Twice: nothing that the first start leaves in the volumes disturbs the second.
    for (let start = 0; start < 2; start++) {
      await withContainer(engine, cpu, options, async (container) => {
        await container.ready();
        assert.deepEqual(await container.score(SAMPLE), mine);
        await container.answers('/');
      });
    }
  });

  test('a mounted model is served by name, as an argument or in a folder', async () => {
    const folder = join(engine.folder, 'models');
    writeFiles(folder, { 'any.onnx': MODEL });
    const flags = ['-v', `${folder}:/models:ro`];
    for (const args of [
      ['--model', '/models/any.onnx'],
      ['serve', '--model-dir', '/models'],
    ]) {
      await withContainer(engine, cpu, { flags, args }, async (container) => {
        await container.ready();
        const ready = (await container.lines()).find(({ msg }) => msg === 'ready');
        assert.deepEqual([ready?.['kind'], ready?.['models']], ['model without code', ['any']]);
      });
    }
  });
}
