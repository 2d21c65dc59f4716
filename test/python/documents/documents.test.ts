import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { withServer } from '../../e2e/start-server.ts';
import { writeModel } from '../../models/models.ts';
import { folder } from '../../set-up/folder.ts';
import { exchange } from '../contract/exchange.ts';
import { pythons, skip } from '../contract/contract.ts';
import { documentScripts, type DocumentScript, type Predictions } from './scripts.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));

describe('scripts of documents', { skip, concurrency: 2 }, () => {
  const models = folder();
  let predictions: Predictions;
  before(async () => {
    const { plain } = await pythons();
    const { stdout } = await promisify(execFile)(plain, ['-B', join(HERE, 'make_models.py'), models]);
    predictions = JSON.parse(stdout) as Predictions;
    mkdirSync(join(models, 'onnx'));
    renameSync(writeModel('ridge', models), join(models, 'onnx', 'model.onnx'));
  });

  async function serve(script: string, { models: used, asked }: DocumentScript): Promise<void> {
    const { plain } = await pythons();
    const env = {
      AZUREML_INFERENCE_PYTHON_PATH: plain,
      PYTHONDONTWRITEBYTECODE: '1',
      ...(used === undefined ? {} : { AZUREML_MODEL_DIR: join(models, used) }),
    };
    await withServer(
      ['--entry-script', script],
      async (server) => {
        await server.ready();
        for (const { call, answers } of asked) answers((await exchange(await server.port(), call))!, predictions);
      },
      { env, cwd: dirname(script) },
    );
  }

  for (const each of documentScripts) {
    it(`run: ${each.script}`, () => serve(join(HERE, 'scripts', each.script), each));

    for (const [variable, paths] of Object.entries(each.upstream))
      for (const path of paths) {
        const script = join(process.env[variable] ?? '', path);
        const absent =
          process.env[variable] === undefined ? `${variable} names no checkout` : existsSync(script) ? false : `there is no ${script}`;
        it(`run unmodified: ${path}`, { skip: absent }, () => serve(script, each));
      }
  }
});
