import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import test from 'node:test';
import { withContainer, type RunOptions } from '../container.ts';
import type { Images } from '../images.ts';

/** What the image prints, and the code it ends with, when it is asked for what it cannot do. */
export function checkRefusals({ engine, cpu }: Images): void {
  const refused = (options: RunOptions, code: number, says: RegExp): Promise<void> =>
    withContainer(engine, cpu, options, async (container) => {
      assert.equal(await container.exited(), code);
      assert.match(await container.logs(), says);
    });

  test('what is named and not found ends with 3, and never serves the sample', async () => {
    await refused({ args: ['--model', '/models/mine.onnx'] }, 3, /The model \/models\/mine\.onnx does not exist/);
    await refused({ env: { AZUREML_MODEL_DIR: '/models' } }, 3, /The model directory \/models does not exist/);
    await refused({ env: { AZUREML_ENTRY_SCRIPT: 'mine.ts' } }, 3, /expected a file at \/var\/azureml-app\/mine\.ts/);
    await refused({ env: { MODEL_NAME: 'iris' } }, 3, /MODEL_NAME names something/);
    await refused({ flags: ['--mount', 'type=volume,dst=/var/azureml-app'] }, 3, /\/var\/azureml-app is a mounted volume that is empty/);
  });

  test('a wrong flag or variable ends with 2 and says which', async () => {
    await refused({ args: ['--prot', '80'] }, 2, /--prot: there is no such flag/);
    await refused({ args: ['bash'] }, 2, /argument "bash": expected only flags/);
    await refused({ env: { WORKER_COUNT: 'many' } }, 2, /WORKER_COUNT: .*got "many"/);
  });

  test('a port that is taken ends with 2 and names it', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    try {
      await refused({ port }, 2, new RegExp(`cannot listen on 127\\.0\\.0\\.1:${port}`));
    } finally {
      other.close();
    }
  });
}
