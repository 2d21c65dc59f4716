import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePort } from '../e2e/free-port.ts';
import { SCRIPTS, withServer } from '../e2e/start-server.ts';
import { writeModel, type ModelName } from '../models/models.ts';
import { python, runProgram, whyNoPython } from '../set-up/python.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const skip = whyNoPython() ?? false;
const folder = mkdtempSync(join(tmpdir(), 'clients-'));
after(() => rmSync(folder, { recursive: true }));

const models = ['multi', 'echo_string', 'echo_float16', 'echo_int64'] as const satisfies ModelName[];

describe('tritonclient, unchanged, over HTTP and gRPC', { skip }, () => {
  before(async () => void (await python(HERE)));

  const speaks = async (args: readonly string[], name: string): Promise<void> => {
    const grpcPort = await freePort();
    await withServer([...args, '--grpc-port', String(grpcPort)], async (server) => {
      await server.ready();
      const httpPort = new URL(await server.url()).port;
      assert.equal(await runProgram(join(HERE, 'open_inference.py'), [httpPort, String(grpcPort), name]), `${name}: all ways agree`);
    });
  };

  for (const model of models) it(`understands the model ${model}`, () => speaks(['--model', writeModel(model, folder)], model));
  it('understands an entry script', () => speaks(['--entry-script', join(SCRIPTS, 'tensors.ts')], 'tensors'));
});
