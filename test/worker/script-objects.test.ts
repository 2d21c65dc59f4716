import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { loadScript } from 'scoring-server/testing';
import { writeModel } from '../models/models.ts';
import { folder } from '../set-up/folder.ts';
import { until } from '../set-up/until.ts';
import { SCRIPTS, withWorkers, Workers } from './start-workers.ts';

const ROW = { X: [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]] };

/** Keeps everything that scripts collect. */
const collection = { rates: {}, others: 1, workspace: 's/g/w', endpoint: 'ep', modelVersions: {} };

/** A model directory with one model. */
function models(): { readonly modelDir: string; readonly modelFile: string } {
  const modelDir = folder();
  const version = join(modelDir, 'ridge', '1');
  mkdirSync(version, { recursive: true });
  return { modelDir, modelFile: writeModel('ridge', version) };
}

test('a script may take apart every object that it is handed, while its rows are collected', async () => {
  const collected: string[] = [];
  const collecting = { rows: (payload: Buffer) => void collected.push(payload.toString('latin1')), notCollected: () => undefined };
  await withWorkers(
    'takes-apart.ts',
    async (workers) => {
      const { json } = await workers.score(ROW, { id: 'mine' });
      const rest = [
        'clientRequestId',
        'protocol',
        'outputs',
        'parameters',
        'inferenceId',
        'traceId',
        'traceparent',
        'method',
        'url',
        'query',
        'metadata',
      ];
      assert.deepEqual(json, { ids: ['mine', 'mine', 'mine', 'mine'], header: 'yes', aborted: false, rest, rows: 1 });
      await until(() => collected.length === 5);
      for (const name of ['model_inputs', 'inputs', 'predictions'])
        assert.ok(
          collected.some((text) => text.includes(name)),
          name,
        );
      await until(async () => /^taken_apart_total 1$/m.test(await workers.metrics.registry.metrics()));
      assert.deepEqual((await workers.lineWith('taken apart'))['rest'], []);
      assert.equal((await workers.lineWith('scored'))['requestId'], 'mine');
    },
    { start: { ...models(), collection }, collecting },
  );
});

for (const on of [false, true]) {
  test(`a script is handed nothing but documented members, each of which works by itself; collection is ${on ? 'on' : 'off'}`, () =>
    withWorkers(
      'walks-members.ts',
      async (workers) => {
        await workers.scorer.redactions.redact('redacted', [
          { collection: 'request', contentType: 'text/plain', body: [Buffer.from('x')] },
        ]);
        const { lists, broken } = (await workers.score(1)).json as { lists: unknown; broken: unknown };
        assert.deepEqual(broken, []);
        const levels = ['debug', 'error', 'info', 'warn'];
        assert.deepEqual(lists, {
          correlation: ['headers', 'id', 'timestamp'],
          collector: ['collect', 'name'],
          modelDataCollector: ['addCorrelations', 'collect'],
          context: ['log', 'metrics', 'modelDir', 'modelPath', 'openModel', 'signal'],
          'context.log': levels,
          'context.metrics': ['counter', 'gauge', 'histogram'],
          model: ['inputs', 'name', 'outputs', 'path', 'release', 'run'],
          counter: ['inc'],
          gauge: ['add', 'set'],
          histogram: ['observe'],
          redactInfo: ['collection', 'contentType', 'id'],
          request: [
            'clientRequestId',
            'headers',
            'id',
            'inferenceId',
            'metadata',
            'method',
            'outputs',
            'parameters',
            'protocol',
            'query',
            'signal',
            'traceId',
            'traceparent',
            'url',
          ],
        });
      },
      { start: { ...models(), ...(on && { collection }) } },
    ));
}

test('a script under test may be taken apart, and takes apart what it is handed', async () => {
  const { run, metric, collected, close } = await loadScript(join(SCRIPTS, 'takes-apart.ts'), models());
  assert.deepEqual(((await run(ROW, { id: 'mine', headers: new Headers({ 'x-custom': 'yes' }) })) as { ids: unknown }).ids, [
    'mine',
    'mine',
    'mine',
    'mine',
  ]);
  assert.deepEqual([metric('taken_apart_total'), collected.length], [1, 5]);
  await close();
});

test('methods of an exported object or instance have it as `this`, and never an object of the server', async () => {
  await withWorkers('module-object.cjs', async (workers) =>
    assert.deepEqual((await workers.score({ x: 3 })).json, { over: true, members: ['threshold', 'init', 'run'] }),
  );
  await withWorkers('class-instance.ts', async (workers) => assert.deepEqual((await workers.score([1, 2])).json, [2, 4]));
});

test('a failed call of the context during a request is a failed run, with the reason in the log', async () => {
  const path = folder();
  writeFileSync(join(path, 'damaged.onnx'), 'no model');
  await withWorkers(
    'calls-init-late.ts',
    async (workers) => {
      for (const [call, args, message] of [
        ['openModel', ['missing.onnx'], /openModel\("missing\.onnx"\): there is no such file[\s\S]*calls-init-late\.ts/],
        ['openModel', ['damaged.onnx'], /damaged\.onnx cannot be loaded/],
        ['openModel', [path], /there is no such file/],
        ['modelPath', ['none'], /modelPath\("none"\): expected .*[\s\S]*calls-init-late\.ts/],
        ['counter', ['scoring_x', 'mine'], /names that begin with scoring_ are the server's own[\s\S]*calls-init-late\.ts/],
      ] as const) {
        await assert.rejects(workers.score({ call, args }), { code: 'run_failed', message }, `${call} ${args.join()}`);
      }
    },
    { start: { modelDir: path } },
  );
});

test('a run of a model with wrong inputs in init() is a failed init()', async () => {
  const workers = new Workers('init-wrong-input.ts', { start: models() });
  const { code, message, failure } = await workers.failure;
  assert.deepEqual([code, failure.exitCode], ['init_failed', 3], message);
  assert.match(message, /has no input none/);
  await workers.stop();
});

test('lines of an interval have the id of the request that made it until that request is over', () =>
  withWorkers('ticks.ts', async (workers) => {
    await workers.score(1, { id: 'mine' });
    assert.equal((await workers.lineWith('tick'))['requestId'], 'mine');
    await workers.line(({ msg, requestId, traceId }) => msg === 'tick' && requestId === undefined && traceId === undefined);
  }));
