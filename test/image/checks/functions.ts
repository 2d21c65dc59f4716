import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { functionFiles } from '../../../server/commands/function-files.ts';
import { freePort } from '../../e2e/free-port.ts';
import { withContainer } from '../container.ts';
import { buildUserImage, type Images } from '../images.ts';
import { MODEL, SAMPLE, SAMPLE_ANSWER, SCRIPT } from './sample.ts';

const SITE = '/home/site/wwwroot';

/**
 * The image of a function app, on a base with Debian and without a Functions host: the handler is
 * started as host.json says, and called as the host calls it.
 */
export function checkFunctions(images: Images): void {
  const { engine, cpu, context, standIns } = images;

  test('the image of a function app holds all that host.json starts, and serves the function', async () => {
    const files = functionFiles({ trigger: 'blob', name: 'score', input: 'in/{name}', output: 'out/{name}', binary: false });
    const image = await buildUserImage(
      images,
      'function-app',
      {
        ...Object.fromEntries(files),
        Dockerfile: readFileSync(join(context, 'docker/functions.Dockerfile'), 'utf8'),
        'score.ts': `${SCRIPT}\nexport const inputType = 'json';\n`,
        'model.onnx': MODEL,
      },
      { SERVER_IMAGE: cpu, FUNCTIONS_IMAGE: standIns?.node ?? 'node:24-bookworm-slim' },
    );
    const host = JSON.parse(files.get('host.json') ?? '') as {
      customHandler: { description: { defaultExecutablePath: string; arguments: string[] } };
    };
    const { defaultExecutablePath, arguments: args } = host.customHandler.description;
    const port = await freePort();
    const env = { FUNCTIONS_CUSTOMHANDLER_PORT: String(port), FUNCTIONS_APP_ROOT_PATH: SITE };
    const flags = ['--workdir', SITE, '--entrypoint', defaultExecutablePath];
    await withContainer(engine, image, { port, env, flags, args }, async (container) => {
      await container.ready();
      const answer = await container.post({ Data: { input: JSON.stringify(JSON.stringify(SAMPLE)) }, Metadata: {} });
      assert.equal(answer.status, 200);
      const { Outputs } = (await answer.json()) as { Outputs: Record<string, unknown> };
      assert.deepEqual(Outputs, { output: { mine: [SAMPLE_ANSWER] } });
    });
  });
}
