import assert from 'node:assert/strict';
import test from 'node:test';
import { exportedFile } from '../models/exported-models.ts';
import { type ModelName, writeModel } from '../models/models.ts';
import { folder } from '../set-up/folder.ts';
import { assertMerged, batchingOf } from './inferences.ts';
import { withServer, type ServerProcess } from './start-server.ts';

/**
 * Scores so many rows at once, and resolves with the metrics that count them all: workers report
 * some time after the answer.
 */
async function scored(server: ServerProcess, rows: number): Promise<string> {
  await server.ready();
  const answers = await Promise.all(
    Array.from({ length: rows }, (_, row) => server.score({ inputs: { X: [Array.from({ length: 10 }, () => row)] } })),
  );
  for (const answer of answers) assert.equal(answer.status, 200);
  for (;;) {
    const text = await server.metrics();
    const sums = Array.from(text.matchAll(/^inference_batch_rows_sum\{.*\} (\d+)$/gm), ([, sum]) => Number(sum));
    if (sums.reduce((total, sum) => total + sum, 0) === rows) return text;
  }
}

const ridge = (): string => writeModel('ridge', folder());

test('MAX_BATCH_SIZE bounds the rows of an inference: full batches do not wait for the delay', () =>
  withServer(
    ['--model', ridge(), '--max-batch-size', '5'],
    async (server) => {
      const text = await scored(server, 10);
      assert.match(text, /^inference_batch_rows_count\{model="ridge",release="full"\} 2$/m);
      assert.match(text, /^session_info\{.*batching_reason="asked for \(MAX_BATCH_SIZE=5\)"/m);
    },
    { env: { MAX_BATCH_DELAY_MS: '100000' } },
  ));

test('MAX_BATCH_DELAY_MS bounds the wait of a call for others that do not come', () =>
  withServer(
    ['--model', ridge(), '--max-batch-size', '5'],
    async (server) => {
      assert.match(await scored(server, 1), /^inference_batch_rows_count\{model="ridge",release="delay"\} 1$/m);
    },
    { env: { MAX_BATCH_DELAY_MS: '500' } },
  ));

test('with MAX_BATCH_SIZE=1 every call runs alone', () =>
  withServer(
    ['--model', ridge()],
    async (server) => {
      assert.match(await scored(server, 12), /^inference_batch_rows_count\{model="ridge",release="alone"\} 12$/m);
    },
    { env: { MAX_BATCH_SIZE: '1' } },
  ));

const PROVEN = 'merged: the graph keeps rows apart; rows run alone equal rows run together';
const row = (length: number, client: number): number[] => Array.from({ length }, (_, at) => ((client + 1) * (at + 1)) / 100);

for (const [name, bodyOf] of [
  ['ridge', (client) => ({ data: [row(10, client)] })],
  ['gbdt', (client) => ({ data: [row(30, client)] })],
  ['mlp', (client) => ({ data: [row(784, client)] })],
] satisfies [ModelName, (client: number) => unknown][])
  test(`${name} is merged without being asked for, and answers as if alone`, () =>
    withServer(['--model', writeModel(name, folder())], async (server) => {
      await server.ready();
      assert.deepEqual(await batchingOf(server, name), { batching: PROVEN, node: undefined });
      await assertMerged(
        server,
        Array.from({ length: 24 }, (_, client) => bodyOf(client)),
      );
    }));

const WORDS = ['good bad', 'cat', '', 'very very good dog', 'good cat dog'];
const words = (client: number): object => ({ data: [[WORDS[client % WORDS.length]]] });

for (const [size, expected] of [
  ['auto', { batching: 'not merged: it pads each text to the longest of any row', node: 'com.microsoft.Tokenizer "Tokenizer"' }],
  ['16', { batching: 'merged: asked for (MAX_BATCH_SIZE=16)', node: undefined }],
] as const)
  test(`a model whose graph leaves open whether rows meet, with MAX_BATCH_SIZE=${size}`, () =>
    withServer(
      ['--model', exportedFile('sklearn/counts-nb.opset14.onnx')],
      async (server) => {
        await server.ready();
        assert.deepEqual(await batchingOf(server, 'counts-nb.opset14'), expected);
        if (size !== 'auto')
          await assertMerged(
            server,
            Array.from({ length: 24 }, (_, client) => words(client)),
          );
      },
      { env: { MAX_BATCH_SIZE: size } },
    ));
