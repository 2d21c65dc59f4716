import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Tensor } from '../../../server/entry-script.ts';
import { proveRowsIndependent } from '../../../server/inference/batch-proof.ts';
import type { OpenedModel } from '../../../server/inference/model.ts';
import { openSession } from '../../../server/inference/session.ts';
import { writeModel, type ModelName } from '../../models/models.ts';

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

const verdicts: [name: ModelName, merges: boolean, reason: RegExp][] = [
  ['ridge', true, /rows run alone equal rows run together/],
  ['mlp', true, /equal/],
  ['cnn', true, /equal/],
  ['gbdt', true, /equal/],
  ['multi', true, /equal/],
  ['diabetes', true, /equal/],
  ['echo_string', true, /equal/],
  ['echo_float16', true, /equal/],
  ['batchmean', false, /output y of a row differs in a batch of 2/],
  ['fixed1', false, /input x has no symbolic first dimension/],
  ['busy', false, /input iterations has no symbolic first dimension/],
  ['alloc', false, /inconclusive|differs|rows/],
];

for (const [name, merges, reason] of verdicts) {
  test(`${name} is ${merges ? '' : 'not '}merged, and the reason is reported`, async () => {
    const model = await open(name);
    await model.settleBatching({ maxBatchSize: 'auto', maxDelayMs: 0 });
    assert.equal(model.about.batching.merges, merges, model.about.batching.reason);
    assert.match(model.about.batching.reason, reason);
  });
}

test('a number asks for merging without a proof, but never against the shapes; 1 switches it off', async () => {
  const cases: [name: ModelName, maxBatchSize: number, merges: boolean, reason: RegExp][] = [
    ['batchmean', 8, true, /asked for/],
    ['fixed1', 8, false, /no symbolic first dimension/],
    ['ridge', 1, false, /switched off/],
  ];
  for (const [name, maxBatchSize, merges, reason] of cases) {
    const model = await open(name);
    await model.settleBatching({ maxBatchSize, maxDelayMs: 0 });
    assert.equal(model.about.batching.merges, merges);
    assert.match(model.about.batching.reason, reason);
  }
});

test("the script's sample counts: a difference that only it shows forbids merging", async () => {
  const specs = {
    provider: 'cpu' as const,
    inputs: [{ name: 'x', type: 'float32' as const, dims: ['N', 1] }],
    outputs: [{ name: 'y', type: 'float32' as const, dims: ['N', 1] }],
  };
  // Mixes rows only where a value is above 100, which no probe input is.
  const infer = async ({ x }: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>> => {
    const data = x!.data as Float32Array;
    const mixed = data.some((value) => value > 100) ? data.length : 0;
    return { y: { type: 'float32', dims: x!.dims, data: data.map((value) => value + mixed) } };
  };
  const sample = { x: { type: 'float32' as const, dims: [2, 1], data: Float32Array.of(1, 200) } };
  assert.equal((await proveRowsIndependent({ ...specs, infer }, [])).merges, true);
  assert.match((await proveRowsIndependent({ ...specs, infer }, [sample])).reason, /on the script's sample/);
});

test('an answer that never changes, and a model that fails on probe inputs, prove nothing', async () => {
  const specs = {
    provider: 'cpu' as const,
    inputs: [{ name: 'x', type: 'float32' as const, dims: ['N', 1] }],
    outputs: [{ name: 'y', type: 'float32' as const, dims: ['N'] }],
  };
  const constant = async ({ x }: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>> => ({
    y: { type: 'float32', dims: [x!.dims[0]!], data: new Float32Array(x!.dims[0]!) },
  });
  assert.match((await proveRowsIndependent({ ...specs, infer: constant }, [])).reason, /inconclusive: the answer does not depend/);
  const failing = async (): Promise<never> => Promise.reject(new Error('no such token'));
  assert.match(
    (await proveRowsIndependent({ ...specs, infer: failing }, [])).reason,
    /inconclusive: the model failed on probe inputs \(no such token\)/,
  );
});

test('on the CPU slow rows are not merged, by the fastest of three runs; elsewhere time does not decide', async () => {
  const verdict = (provider: 'cpu' | 'cuda', slow: (run: number) => boolean): ReturnType<typeof proveRowsIndependent> => {
    let runs = 0;
    return proveRowsIndependent(
      {
        provider,
        inputs: [{ name: 'x', type: 'float32', dims: ['N', 1] }],
        outputs: [{ name: 'x', type: 'float32', dims: ['N', 1] }],
        // As ONNX Runtime does, it blocks the thread.
        infer: async ({ x }) => {
          const until = performance.now() + (slow(runs++) ? 6 : 0);
          while (performance.now() < until);
          return { x: x! };
        },
      },
      [],
    );
  };
  const reason = 'a row takes more than 5 ms: merging gains nothing on the CPU';
  assert.deepEqual(await verdict('cpu', () => true), { merges: false, reason });
  // The first run is not timed.
  assert.equal((await verdict('cpu', (run) => run < 3)).merges, true);
  assert.equal((await verdict('cuda', () => true)).merges, true);
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
    await model.settleBatching({ maxBatchSize: 'auto', maxDelayMs: 0 });
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
