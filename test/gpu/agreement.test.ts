import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { casesOf, missing, realModels, type RealModel } from '../conformance/fixtures.ts';
import { withServer } from '../e2e/start-server.ts';
import { assertAgreement, compareWithCpu, open, throughput } from './agreement.ts';
import { gpus, installProviderLibraries, missingGpu } from './hardware.ts';

process.env['ORT_DISABLE_TELEMETRY'] = '1';
// Matrix products in full float32, as on the CPU. Read when CUDA's libraries load.
process.env['NVIDIA_TF32_OVERRIDE'] = '0';

/**
 * Text models need a locale that is compiled for the conformance tests, and have no kernels on a
 * GPU.
 */
const models = missing ? [] : realModels().filter(({ name }) => !name.startsWith('neg-') && name !== 'tfidf-vectorizer');
/** Networks of which every provider has the kernels. */
const NETWORKS = ['light-resnet50', 'light-squeezenet', 'mnist-8', 'super-resolution-10', 'tinybert', 'ultraface-slim-320'];

function find(name: string): RealModel {
  const model = models.find((each) => each.name === name);
  assert.ok(model, name);
  return model;
}

/**
 * What the tests below rely on, tried on the CPU: so that on a GPU they cannot agree by mistake.
 */
describe('the comparison itself, on any machine', { skip: missing }, () => {
  it('finds every model equal to itself', async () => {
    let cases = 0;
    for (const model of models) cases += (await compareWithCpu(model, 'cpu')).cases;
    assert.ok(cases >= models.length, `${cases} cases of ${models.length} models`);
  });

  it('finds an answer that is a little off', async () => {
    const model = await open(find('azure-diabetes-f32'), 'cpu');
    const [each] = casesOf(find('azure-diabetes-f32'));
    assert.ok(each !== undefined);
    const off = {
      ...model,
      name: model.name,
      inputs: model.inputs,
      outputs: model.outputs,
      run: async (...given: Parameters<typeof model.run>) => {
        const outputs = await model.run(...given);
        for (const { data } of Object.values(outputs)) (data as Float32Array)[0]! *= 1.01;
        return outputs;
      },
      release: () => model.release(),
      path: model.path,
    };
    await assert.rejects(assertAgreement(model, off, [each]), /case 0: .*\[0\]: expected/);
    assert.equal(await assertAgreement(model, model, [each]), 1);
    await model.release();
  });

  it('names models and cases that exist', () => {
    for (const name of NETWORKS) assert.ok(casesOf(find(name)).length > 0, name);
  });

  it('counts inferences', async () => assert.ok((await throughput(find('mnist-8'), 'cpu', 50)) > 1));
});

describe('CUDA', { skip: missing || missingGpu }, () => {
  before(installProviderLibraries);

  for (const model of models) {
    it(`${model.name} answers as on the CPU`, async (t) => {
      const { provider, placement, cases } = await compareWithCpu(model, 'cuda');
      t.diagnostic(`${model.name}: ${cases} cases agree; provider in use: ${provider}; nodes: ${JSON.stringify(placement)}`);
      assert.ok(cases > 0);
    });
  }

  for (const name of NETWORKS) {
    it(`${name} really runs on CUDA, by ONNX Runtime's own profile`, async () => {
      const model = await open(find(name), 'cuda');
      const { provider, placement } = model.about;
      await model.release();
      assert.equal(provider, 'cuda');
      assert.ok(placement !== undefined && placement.onProvider > 0, JSON.stringify(placement));
      // The arithmetic of shapes may be left to the CPU, never that of the network.
      assert.deepEqual(
        placement.operators.filter((operator) => /Conv|MatMul|Gemm|Attention/.test(operator)),
        [],
      );
    });
  }

  it('the server has one worker for each GPU, is ready, reports where the nodes run, and answers', async () => {
    const model = find('light-resnet50');
    const [each] = casesOf(model);
    await withServer(['--execution-provider', 'cuda', '--model', model.file], async (server) => {
      await server.ready();
      assert.equal(server.lines.filter(({ msg }) => msg === 'worker ready').length, gpus.visible.length);
      await server.said('nodes run on cuda');
      const metrics = await (await fetch(await server.url('/metrics'))).text();
      assert.match(metrics, /^inference_provider_info\{asked="cuda",used="cuda",devices="[^"]+"\} 1$/m);
      assert.match(metrics, /^session_info\{model="[^"]+",provider="cuda",/m);
      const response = await server.score({ inputs: each?.inputs });
      assert.equal(response.status, 200, await response.text());
    });
  });

  it('a device that is not there ends the server with 4', async () => {
    await withServer(['--execution-provider', 'cuda', '--cuda-device-ids', '999', '--entry-script', 'echo.ts'], async (server) => {
      assert.deepEqual(await server.exited, { code: 4, signal: null });
      assert.match((await server.line(({ level }) => level === 'fatal')).msg, /asks for device 999, but only device/);
    });
  });

  for (const name of NETWORKS) {
    it(`throughput of ${name}`, async (t) => {
      const [cpu, cuda] = [await throughput(find(name), 'cpu', 2000), await throughput(find(name), 'cuda', 2000)];
      t.diagnostic(
        `${name}: ${cuda.toFixed(1)} inferences/s on CUDA, ${cpu.toFixed(1)} on one CPU thread: ${(cuda / cpu).toFixed(1)} times`,
      );
      assert.ok(cuda > 0);
    });
  }
});
