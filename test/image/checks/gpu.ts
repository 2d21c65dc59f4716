import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import test from 'node:test';
import { withContainer } from '../container.ts';
import { build, type Images } from '../images.ts';
import { SAMPLE, SAMPLE_ANSWER } from './sample.ts';

const LIBRARIES = '/opt/scoring-server/node_modules/onnxruntime-node/bin/napi-v6/linux/x64';
const WRONG_CHECKSUM = '0'.repeat(64);

/** What can be told of the GPU image on a machine without one. */
export function checkGpu(images: Images): void {
  const { engine, gpu, standIns } = images;

  test('the CUDA provider lies beside the binding, for every user', async () => {
    const listed = await engine.once('--entrypoint', 'ls', gpu, '-l', LIBRARIES);
    for (const name of ['providers_cuda', 'providers_shared'])
      assert.match(listed, new RegExp(`^-r..r..r.. .* root +root .* libonnxruntime_${name}\\.so$`, 'm'));
  });

  test('on the CPU provider it serves like the CPU image', () =>
    withContainer(engine, gpu, { env: { EXECUTION_PROVIDER: 'cpu' } }, async (container) => {
      await container.ready();
      assert.deepEqual(await container.score(SAMPLE), SAMPLE_ANSWER);
      await container.exec('/opt/scoring-server/docker/health.sh');
      assert.match(await container.exec('npm', '--version'), /^\d+\./);
      assert.equal((await container.stop()).code, 0);
    }));

  if (standIns !== undefined) {
    test('its build fails where the base lacks a library that the provider links, and names it', async () => {
      const { code, stdout, stderr } = await build(images, 'gpu', engine.tag('no-cuda'), { args: { CUDA_IMAGE: standIns.node } });
      assert.notEqual(code, 0);
      assert.match(stdout + stderr, /libcudnn\.so\.9 => not found/);
    });

    test('its build fails where the provider is not the one that is pinned', async () => {
      const { code, stdout, stderr } = await build(images, 'gpu', engine.tag('other-provider'), {
        args: { ORT_CUDA_SHA256: WRONG_CHECKSUM },
      });
      assert.notEqual(code, 0);
      assert.match(stdout + stderr, /libonnxruntime_providers_cuda\.so: FAILED/);
    });
  }

  if (!existsSync('/dev/nvidiactl')) {
    test('without a GPU it refuses by name with exit code 4, and never falls back', () =>
      withContainer(engine, gpu, {}, async (container) => {
        assert.equal(await container.exited(), 4);
        assert.match(await container.logs(), /NVIDIA driver: there is neither \/dev\/nvidiactl nor/);
      }));

    test('with `auto` it serves on the CPU, and says what is missing', () =>
      withContainer(engine, gpu, { env: { EXECUTION_PROVIDER: 'auto' } }, async (container) => {
        await container.ready();
        assert.deepEqual(await container.score(SAMPLE), SAMPLE_ANSWER);
        assert.match(await container.logs(), /"level":"warn".*NVIDIA driver: there is neither/);
      }));
  }
}
