import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ServerProcess } from '../e2e/start-server.ts';
import { assertAnswer } from './compare.ts';
import { backendCases, missing } from './fixtures.ts';

describe('the ONNX backend suite, one request a case', { skip: missing }, () => {
  let folder: string;
  let server: ServerProcess;

  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'onnx-backend-'));
    server = await new ServerProcess(['--entry-script', path.join(import.meta.dirname, 'many-models.ts')]).ready();
  });

  after(async () => {
    await server.stop();
    rmSync(folder, { recursive: true });
  });

  for (const backendCase of missing ? [] : backendCases()) {
    const { name, model_b64: model, inputs } = backendCase;
    it(name, async () => {
      const file = path.join(folder, `${name.replaceAll('/', '-')}.onnx`);
      writeFileSync(file, model, 'base64');
      const response = await server.score({ inputs }, { 'x-model': file });
      const text = await response.text();
      assert.equal(response.status, 200, text);
      assertAnswer(text, backendCase, name);
    });
  }
});
