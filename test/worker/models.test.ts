import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import type { StartMessage } from '../../server/ipc/start-message.ts';
import { writeModel, type ModelName } from '../models/models.ts';
import { readModel } from '../models/onnx-text.ts';
import { folder } from '../set-up/folder.ts';
import { Workers, withWorkers, type Settings } from './start-workers.ts';

const ROW = { X: [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]] };

async function withModel(
  t: TestContext,
  script: string,
  name: ModelName,
  run: (workers: Workers) => Promise<void>,
  start: Partial<StartMessage> = {},
  settings: Settings = {},
): Promise<void> {
  const path = folder();
  await withWorkers(script, run, { ...settings, start: { modelFile: writeModel(name, path), ...start } });
}

const sessions = async ({ metrics }: Workers): Promise<string[]> => (await metrics.registry.metrics()).match(/^session_info\{.*/gm) ?? [];

test('the log tells of each model what runs it, with how many threads, and whether calls are merged', (t) =>
  withModel(t, 'opens-model.ts', 'ridge', async (workers) => {
    const line = workers.lines.find(({ msg }) => String(msg).startsWith('model ridge: '))!;
    assert.match(
      String(line['msg']),
      /: runs on cpu with 1 threads of ONNX Runtime \d+\.\d+\.\d+; concurrent calls are merged: the graph keeps rows apart; rows run alone equal rows run together$/,
    );
    assert.deepEqual([line['level'], line['model'], line['provider'], line['intraOpThreads']], ['info', 'ridge', 'cpu', 1]);
  }));

test('a model that run() opens is decided upon, shown and told then, before it runs, without a trial', (t) =>
  withModel(t, 'opens-model-late.ts', 'ridge', async (workers) => {
    assert.deepEqual(await sessions(workers), []);
    await workers.score(ROW);
    const told = workers.lines.find(({ msg }) => String(msg).startsWith('model ridge: '));
    assert.match(String(told?.['msg']), /concurrent calls are not merged/);
    const [shown, ...others] = await sessions(workers);
    assert.match(String(shown), /model="ridge".*batching="off"/);
    assert.deepEqual(others, []);
  }));

test('a model that run() opens obeys MAX_BATCH_SIZE', (t) =>
  withModel(
    t,
    'opens-model-late.ts',
    'ridge',
    async (workers) => {
      await workers.score(ROW);
      assert.match(String((await sessions(workers))[0]), /batching="off",batching_reason="switched off \(MAX_BATCH_SIZE\)"/);
    },
    { maxBatchSize: 1 },
  ));

test('a model that the run of the sample opens is checked with the sample', () => {
  const modelFile = join(folder(), 'relu.onnx');
  writeFileSync(modelFile, readModel('(float32[N, 4] x) => (float32[N, 4] y) { y = Relu(x) }', { opset: 17 }));
  return withWorkers(
    'opens-model-for-sample.ts',
    async (workers) => {
      assert.match(String((await sessions(workers))[0]), /batching="on",batching_reason="[^"]* \(on the script's sample\)"/);
    },
    { start: { modelFile } },
  );
});

test('a model that the run of the sample opens is not merged where its rows meet', (t) =>
  withModel(t, 'opens-model-for-sample.ts', 'batchtrunc', async (workers) => {
    assert.match(String((await sessions(workers))[0]), /batching="off",batching_reason="it reduces rows of different calls"/);
  }));

test('a model that hangs on made-up inputs costs its worker the time limit, and is then served', (t) =>
  withModel(
    t,
    'dies-before-requests.ts',
    'ridge',
    async (workers) => {
      const warning = await workers.lineWith('on made-up inputs, before any request');
      assert.match(String(warning['msg']), /^model ridge did not finish on made-up inputs/);
      assert.equal((await workers.score(ROW)).status, 200);
      assert.equal(workers.pids.length, 1);
    },
    {},
    { env: { DIES: 'hang' }, trialMs: 2000 },
  ));

test('without a sample a model is warmed up before its worker is ready', (t) =>
  withModel(
    t,
    'reports-warm-up.ts',
    'ridge',
    async (workers) => {
      const said = workers.lines.map(({ msg }) => msg).filter((msg) => msg === 'warmed up' || msg === 'worker ready');
      assert.deepEqual(said, ['warmed up', 'worker ready']);
    },
    // The trial of rows would run it, too.
    { maxBatchSize: 1 },
  ));

test('a script that opens what is no model, or is not there, ends with what it is or what was meant', async () => {
  const modelDir = folder();
  writeModel('ridge', modelDir);
  writeFileSync(join(modelDir, 'pointer.onnx'), 'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 1\n');
  const cases: [named: string, code: string, words: RegExp][] = [
    ['rigde.onnx', 'model_missing', /openModel\("rigde\.onnx"\): there is no such file; .* Did you mean \S+\/ridge\.onnx\?/],
    ['pointer.onnx', 'model_refused', /pointer\.onnx cannot be loaded: it is a Git LFS pointer, no ONNX model\. Run `git lfs pull`/],
    ['/dev/null', 'model_missing', /openModel\("\/dev\/null"\): there is no such file/],
  ];
  for (const [named, code, words] of cases) {
    const workers = new Workers('opens-named-model.ts', { start: { modelDir }, env: { NAMED_MODEL: named } });
    try {
      const error = await workers.failure;
      assert.equal(error.code, code, error.message);
      assert.match(error.message, words);
    } finally {
      await workers.stop();
    }
  }
});
