import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { withServer } from '../e2e/start-server.ts';
import { assertAnswer } from './compare.ts';
import { assertExampleScores } from './example-scores.ts';
import { casesOf, missing, readBeside, type RealModel, realModels } from './fixtures.ts';

const models = missing ? [] : realModels();
/** No made-up values are known that it takes. */
const WITHOUT = ['silero-vad'];
const refused = models.filter(({ name }) => name.startsWith('neg-'));
const served = models.filter((model) => !refused.includes(model));

describe('a real model, served without code', { skip: missing }, () => {
  let locales: string;

  /**
   * Text operators (tfidf-vectorizer) need en_US.UTF-8, which not every machine has: it is made
   * here, where localedef exists.
   */
  before(() => {
    locales = mkdtempSync(path.join(tmpdir(), 'locales-'));
    spawnSync('localedef', ['--no-archive', '-i', 'en_US', '-f', 'UTF-8', path.join(locales, 'en_US.UTF-8')], { stdio: 'ignore' });
  });
  after(() => rmSync(locales, { recursive: true }));

  for (const model of served) {
    it(model.name, async () => {
      await withServer(
        ['--model', model.file],
        async (server) => {
          await server.ready();
          for (const [index, each] of casesOf(model).entries()) {
            const response = await server.score({ inputs: each.inputs });
            const text = await response.text();
            assert.equal(response.status, 200, text);
            assertAnswer(text, each, `${model.name} ${index}`);
          }
          await assertExampleScores(server, !WITHOUT.includes(model.name));
        },
        { env: { LOCPATH: locales } },
      );
    });
  }

  it('answers the request of the Azure documentation as documented', async () => {
    const model = find('azure-diabetes-f64');
    await withServer(['--model', model.file], async (server) => {
      await server.ready();
      const response = await server.score(JSON.parse(readBeside(model, 'azure_request.json')));
      const predictions = (await response.json()) as number[];
      const documented = JSON.parse(readBeside(model, 'azure_response.json')) as number[];
      assert.equal(predictions.length, documented.length);
      for (const [row, prediction] of predictions.entries()) assert.ok(Math.abs(prediction - documented[row]!) < 1e-9, String(prediction));
    });
  });
});

describe('a model that cannot be served', { skip: missing }, () => {
  /** What the log must say, by model. */
  const reasons: Readonly<Record<string, RegExp>> = {
    'neg-bfloat16-output': /Unsupported data type: bfloat16/,
    'neg-corrupt': /Protobuf parsing failed/,
    'neg-custom-op': /ai\.onnx\.contrib:StringUpper\(-1\) is not a registered function\/op/,
    'neg-int4-output-abort': /output output has a 4-bit dtype/,
    'neg-map-input': /input float_input is a sequence, map or optional/,
    'neg-opset': /Opset 314159 is under development/,
    'neg-sequence-input': /input X is a sequence, map or optional/,
    'neg-truncated': /No Op registered for Foo/,
  };

  for (const model of refused) {
    it(`${model.name} ends the server with exit code 3 and the reason; it is never ready before`, async () => {
      await withServer(['--model', model.file], async (server) => {
        // The process may have ended before the probe arrives: then there is no answer to judge.
        const probe = await fetch(await server.url('/health/ready')).catch(() => undefined);
        if (probe !== undefined) assert.equal(probe.status, 503);
        const fatal = await server.line(({ level }) => level === 'fatal');
        assert.match(fatal.msg, reasons[model.name] ?? /^$/);
        assert.ok(fatal.msg.includes(model.file));
        assert.deepEqual(await server.exited, { code: 3, signal: null });
      });
    });
  }
});

function find(name: string): RealModel {
  const model = served.find((each) => each.name === name);
  assert.ok(model);
  return model;
}
