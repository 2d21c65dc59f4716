import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { withServer } from '../e2e/start-server.ts';
import { writeModel, type ModelName } from '../models/models.ts';
import { folder } from '../set-up/folder.ts';
import { python, runProgram, whyNoPython } from '../set-up/python.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const models = ['echo_float32', 'columns'] as const satisfies ModelName[];

describe("MLServer's Python types", { skip: whyNoPython() ?? false }, () => {
  const files = folder();
  before(async () => void (await python(HERE)));

  for (const model of models)
    it(`speak to the model ${model}`, () =>
      withServer(['--model', writeModel(model, files)], async (server) => {
        await server.ready();
        const { port } = new URL(await server.url());
        assert.equal(await runProgram(join(HERE, 'mlserver_types.py'), [port, model]), `${model}: all forms are taken`);
      }));
});
