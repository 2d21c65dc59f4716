import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { TensorSpec } from '../../../server/entry-script.ts';
import { decideMerging } from '../../../server/inference/batch-proof.ts';
import type { Trial } from '../../../server/inference/batch-trial.ts';
import type { GraphVerdict } from '../../../server/inference/graph/verdict.ts';
import type { OpenedModel } from '../../../server/inference/model.ts';
import { openSession } from '../../../server/inference/session.ts';
import { writeModel, type ModelName } from '../../models/models.ts';
import { readModel } from '../../models/onnx-text.ts';

process.env['ORT_DISABLE_TELEMETRY'] = '1';
const folder = mkdtempSync(join(tmpdir(), 'proof-'));
const opened: OpenedModel[] = [];
after(async () => {
  for (const model of opened) await model.release();
  rmSync(folder, { recursive: true });
});

async function open(name: ModelName): Promise<OpenedModel> {
  const model = await openSession(writeModel(name, folder), { intraOpThreads: 1 });
  opened.push(model);
  return model;
}

const apart: GraphVerdict = { rows: 'row-wise', reason: 'the graph keeps rows apart' };
const undecided: GraphVerdict = { rows: 'unknown', reason: 'it has no rule', node: 'odd' };
const meeting: GraphVerdict = { rows: 'mixed', reason: 'it reduces rows of different calls', node: 'mean' };
const agrees: Trial = { result: 'agrees', reason: 'rows run alone equal rows run together' };
const unsure: Trial = { result: 'inconclusive', reason: 'the trial of rows takes too long' };
const differs: Trial = { result: 'differs', reason: 'output y of a row differs in a batch' };
const INPUTS: readonly TensorSpec[] = [{ name: 'x', type: 'float32', dims: ['N', 4] }];

const decided: [graph: GraphVerdict, trial: Trial, maxBatchSize: number | 'auto', merges: boolean, reason: string, node?: string][] = [
  [apart, agrees, 'auto', true, `${apart.reason}; ${agrees.reason}`],
  [apart, unsure, 'auto', false, unsure.reason],
  [apart, differs, 'auto', false, differs.reason],
  [undecided, agrees, 'auto', false, undecided.reason, 'odd'],
  [meeting, agrees, 'auto', false, meeting.reason, 'mean'],
  [apart, agrees, 8, true, 'asked for (MAX_BATCH_SIZE=8)'],
  [undecided, agrees, 8, true, 'asked for (MAX_BATCH_SIZE=8)'],
  [undecided, unsure, 8, true, 'asked for (MAX_BATCH_SIZE=8)'],
  [apart, differs, 8, false, differs.reason],
  [meeting, agrees, 8, false, meeting.reason, 'mean'],
  [apart, agrees, 1, false, 'switched off (MAX_BATCH_SIZE)'],
];

for (const [graph, trial, maxBatchSize, merges, reason, node] of decided) {
  const title = `with MAX_BATCH_SIZE=${maxBatchSize}, a graph that is ${graph.rows} and a trial that ${trial.result === 'inconclusive' ? 'is ' : ''}${trial.result}`;
  test(`${title} ${merges ? 'allow' : 'forbid'} merging`, async () => {
    const evidence = { inputs: INPUTS, graph: async () => graph, trial: async () => trial };
    assert.deepEqual(await decideMerging(evidence, maxBatchSize), { merges, reason, ...(node !== undefined && { node }) });
  });
}

test('rows are tried only where that can decide', async () => {
  for (const [graph, maxBatchSize] of [
    [undecided, 'auto'],
    [meeting, 'auto'],
    [meeting, 8],
    [apart, 1],
  ] as const) {
    const evidence = { inputs: INPUTS, graph: async () => graph, trial: (): never => assert.fail('tried') };
    assert.equal((await decideMerging(evidence, maxBatchSize)).merges, false);
  }
});

test('an input without a symbolic first dimension forbids merging whatever is asked for, and so does no input', async () => {
  const never = (): never => assert.fail('looked at');
  for (const maxBatchSize of ['auto', 8] as const) {
    const evidence = { inputs: [...INPUTS, { name: 'k', type: 'int64' as const, dims: [1] }], graph: never, trial: never };
    assert.deepEqual(await decideMerging(evidence, maxBatchSize), { merges: false, reason: 'input k has no symbolic first dimension' });
    assert.deepEqual(await decideMerging({ ...evidence, inputs: [] }, maxBatchSize), { merges: false, reason: 'the model has no inputs' });
  }
});

const verdicts: [name: ModelName, merges: boolean, reason: RegExp][] = [
  ['ridge', true, /^the graph keeps rows apart; rows run alone equal rows run together$/],
  ['mlp', true, /equal/],
  ['cnn', true, /equal/],
  ['gbdt', true, /equal/],
  ['multi', true, /equal/],
  ['diabetes', true, /equal/],
  ['echo_string', true, /equal/],
  ['echo_float16', true, /equal/],
  ['columns', true, /equal/],
  ['zipmap', true, /equal/],
  ['batchmean', false, /output y of a row differs in a batch/],
  ['batchtrunc', false, /output y of a row differs in a batch/],
  ['fixed1', false, /input x has no symbolic first dimension/],
  ['busy', false, /input iterations has no symbolic first dimension/],
  ['alloc', false, /output y of one row is not one row/],
];

for (const [name, merges, reason] of verdicts) {
  test(`a trial of ${name}, whatever its graph says, ${merges ? 'allows' : 'forbids'} merging`, async () => {
    const model = await open(name);
    await model.settleBatching({ maxBatchSize: 'auto', maxDelayMs: 0, follow: async () => apart });
    assert.equal(model.about.batching.merges, merges, model.about.batching.reason);
    assert.match(model.about.batching.reason, reason);
  });
}

const FIXTURES = '../../../../shared/fixtures/reported/';
const skip = existsSync(new URL(FIXTURES, import.meta.url)) ? false : 'needs ../shared/fixtures/reported';
const reported: [name: string, merges: boolean][] = [
  ['rescale', false],
  ['scripted_rescale', false],
  ['batch_impute', false],
  ['rf_iris_like', true],
  ['lgb_label_1', true],
];

for (const [name, merges] of reported) {
  test(`a trial of the public model ${name} ${merges ? 'allows' : 'forbids'} merging`, { skip }, async () => {
    const model = await openSession(fileURLToPath(new URL(`${FIXTURES}${name}.onnx`, import.meta.url)), { intraOpThreads: 1 });
    opened.push(model);
    for (const maxBatchSize of ['auto', 16] as const) {
      await model.settleBatching({ maxBatchSize, maxDelayMs: 0, follow: async () => apart });
      assert.equal(model.about.batching.merges, merges, model.about.batching.reason);
    }
  });
}

test('a model that may not be tried is merged only where a number asks for it', async () => {
  const model = await open('ridge');
  const policy = { maxDelayMs: 0, untried: 'no trial of rows (WARM_UP=off)', follow: async () => apart };
  await model.settleBatching({ ...policy, maxBatchSize: 'auto' });
  assert.deepEqual(model.about.batching, { merges: false, reason: 'no trial of rows (WARM_UP=off)' });
  await model.settleBatching({ ...policy, maxBatchSize: 4 });
  assert.deepEqual(model.about.batching, { merges: true, reason: 'asked for (MAX_BATCH_SIZE=4)' });
});

test('calls are not merged whose sizes are not what their names say', async () => {
  // As many rows as calls, but those of the first call only: `w` has more columns than `x`.
  const text = `(float32[N, s] x, float32[N, s] w) => (float32[N, s] y) <int64[1] z = {0}, int64[1] open = {-1}> {
    columns = Shape<start = 1>(x); shape = Concat<axis = 0>(open, columns); r = Reshape(w, shape)
    n = Shape<end = 1>(x); y = Slice(r, z, n, z) }`;
  const file = join(folder, 'shared.onnx');
  writeFileSync(file, readModel(text));
  const model = await openSession(file, { intraOpThreads: 1 });
  opened.push(model);
  await model.settleBatching({ maxBatchSize: 4, maxDelayMs: 0 });
  assert.ok(model.about.batching.merges, model.about.batching.reason);
  model.sharedSizes.enabled = false;
  const calls = [0, 10, 20].map((from) => ({ x: [[0, 0]], w: [[from, from + 1, from + 2, from + 3]] }));
  const answers = await Promise.all(calls.map((call) => model.run(call)));
  assert.deepEqual(
    answers.map(({ y }) => y?.data),
    [Float32Array.of(0, 1), Float32Array.of(10, 11), Float32Array.of(20, 21)],
  );
});

test('merged answers equal those that run alone', async () => {
  for (const name of ['ridge', 'mlp', 'gbdt', 'multi'] as const) {
    const model = await open(name);
    const inputs = Array.from({ length: 20 }, (_, seed) =>
      Object.fromEntries(
        model.inputs.map((spec) => [
          spec.name,
          [Array.from({ length: Number(spec.dims[1]) }, (_unused, at) => ((seed * 7 + at * 3) % 11) - (spec.type === 'int64' ? 0 : 5))],
        ]),
      ),
    );
    const alone = [];
    for (const input of inputs) alone.push(await model.run(input));
    await model.settleBatching({ maxBatchSize: 'auto', maxDelayMs: 0, follow: async () => apart });
    const together = await Promise.all(inputs.map((input) => model.run(input)));
    for (const [index, outputs] of together.entries()) {
      for (const [output, { dims, data }] of Object.entries(outputs)) {
        assert.deepEqual(dims, alone[index]![output]!.dims);
        const expected = alone[index]![output]!.data;
        for (let at = 0; at < data.length; at++) {
          assert.ok(
            Math.abs(Number(data[at]) - Number(expected[at])) <= 1e-5 + 1e-4 * Math.abs(Number(expected[at])),
            `${name} ${output}[${at}]`,
          );
        }
      }
    }
  }
});
