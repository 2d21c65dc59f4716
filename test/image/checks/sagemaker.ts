import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { freePort } from '../../e2e/free-port.ts';
import { withContainer, type RunOptions } from '../container.ts';
import { buildUserImage, writeFiles, type Images } from '../images.ts';
import { MODEL, SAMPLE, SAMPLE_ANSWER } from './sample.ts';

const NODE = '/usr/local/bin/node';
const SERVER = '/opt/scoring-server/server/main.ts';
/** As docs/platforms.md has it: root, and no init in front. */
const WITHOUT_TINI = `USER 0:0\nENTRYPOINT ["${NODE}", "${SERVER}"]\n`;

/** The image as SageMaker starts it: `serve`, and a model that is mounted read-only. */
export function checkSageMaker(images: Images): void {
  const { engine, cpu } = images;
  const starts: readonly [how: string, options: RunOptions, withoutTini?: true][] = [
    ['as its own user', { args: ['serve'] }],
    ['as root', { args: ['serve'], flags: ['--user', '0'] }],
    ['as root, with Node as the entry point', { args: [SERVER, 'serve'], flags: ['--user', '0', '--entrypoint', NODE] }],
    ['as root, from an image without tini', { args: ['serve'] }, true],
  ];
  for (const [how, options, withoutTini] of starts)
    test(`serve answers /ping and /invocations from a read-only container, ${how}`, async () => {
      const folder = join(engine.folder, 'opt-ml-model');
      writeFiles(folder, { 'model.onnx': MODEL });
      const port = await freePort();
      const flags = [...(options.flags ?? []), '-v', `${folder}:/opt/ml/model:ro`];
      const env = { SAGEMAKER_BIND_TO_PORT: String(port) };
      const image = withoutTini ? await buildUserImage(images, 'sagemaker', { Dockerfile: `FROM ${cpu}\n${WITHOUT_TINI}` }) : cpu;
      await withContainer(engine, image, { ...options, flags, env, port }, async (container) => {
        await container.answers('/ping');
        const body = SAMPLE.data.map((row) => row.join(',')).join('\n');
        const response = await fetch(`http://127.0.0.1:${port}/invocations`, {
          method: 'POST',
          body,
          headers: { 'content-type': 'text/csv', accept: 'application/json' },
        });
        assert.deepEqual(await response.json(), SAMPLE_ANSWER);
        await container.exec('/opt/scoring-server/docker/health.sh');
        assert.equal((await container.stop()).code, 0);
        assert.ok((await container.lines()).some(({ msg }) => msg.startsWith('profile sagemaker')));
      });
    });
}
