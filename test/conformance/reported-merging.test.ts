import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, it } from 'node:test';
import { answerOf, assertMerged, batchingOf, inferencesOf } from '../e2e/inferences.ts';
import { withServer } from '../e2e/start-server.ts';
import { missing, reportedFile } from './fixtures.ts';

const REQUESTS = 24;
const ROUNDS = 5;

/** Bodies of one row that clients send at once, by their number. */
type BodyOf = (client: number) => unknown;

const bodiesOf = (bodyOf: BodyOf): unknown[] => Array.from({ length: REQUESTS }, (_, client) => bodyOf(client));

/** Pixels from 0 to a largest one. */
function image(largest: number): number[][][][] {
  const line = (from: number): number[] => Array.from({ length: 16 }, (_, column) => (largest * ((from + column) % 17)) / 16);
  return [[0, 1, 2].map((channel) => Array.from({ length: 16 }, (_, row) => line(channel + row)))];
}

const meeting: readonly [file: string, bodyOf: BodyOf, node: string][] = [
  ['rescale.onnx', (client) => ({ data: client < 2 ? [[200, 100, 0]] : [[0.5, 0.5, 0.5]] }), 'ReduceMax "/ReduceMax"'],
  ['scripted_rescale.onnx', (client) => ({ data: image(client < 2 ? 255 : 1) }), 'ReduceMax "/ReduceMax"'],
  ['batch_impute.onnx', (client) => ({ data: client % 2 === 0 ? [['NaN', client]] : [[100 * client, 5]] }), 'ReduceSum'],
];

describe('a reported model whose rows meet', { skip: missing }, () => {
  for (const [file, bodyOf, node] of meeting)
    for (const size of ['auto', '16'])
      it(`${file} answers each of ${REQUESTS} requests at once as if alone, with MAX_BATCH_SIZE=${size}`, () =>
        withServer(
          ['--model', reportedFile(file)],
          async (server) => {
            await server.ready();
            const found = await batchingOf(server, path.basename(file, '.onnx'));
            assert.deepEqual(found, { batching: 'not merged: it reduces rows of different calls', node });
            const bodies = bodiesOf(bodyOf);
            const alone: unknown[] = [];
            for (const body of bodies) alone.push(await answerOf(server, body));
            for (let round = 0; round < ROUNDS; round++)
              assert.deepEqual(await Promise.all(bodies.map((body) => answerOf(server, body))), alone);
            const rows = REQUESTS * (ROUNDS + 1);
            assert.equal(await inferencesOf(server, rows), rows);
          },
          { env: { MAX_BATCH_SIZE: size } },
        ));

  it('batch_impute.onnx has the right values', () =>
    withServer(['--model', reportedFile('batch_impute.onnx')], async (server) => {
      await server.ready();
      const bodies = bodiesOf((client) => ({ data: client % 2 === 0 ? [['NaN', client]] : [[100 * client, 5]] }));
      const expected = bodies.map((_, client) => (client % 2 === 0 ? [[0, client]] : [[100 * client, 5]]));
      assert.deepEqual(await Promise.all(bodies.map((body) => answerOf(server, body))), expected);
    }));
});

describe('a reported model whose rows are alone', { skip: missing }, () => {
  for (const file of ['rf_iris_like.onnx', 'lgb_label_1.onnx'])
    for (const [size, reason] of [
      ['auto', 'the graph keeps rows apart; rows run alone equal rows run together'],
      ['16', 'asked for (MAX_BATCH_SIZE=16)'],
    ] as const)
      it(`${file} is merged, and answers as if alone, with MAX_BATCH_SIZE=${size}`, () =>
        withServer(
          ['--model', reportedFile(file)],
          async (server) => {
            await server.ready();
            assert.deepEqual(await batchingOf(server, path.basename(file, '.onnx')), { batching: `merged: ${reason}`, node: undefined });
            await assertMerged(
              server,
              bodiesOf((client) => ({ data: [[client / 4, 3, client / 8, 0.3]] })),
            );
          },
          { env: { MAX_BATCH_SIZE: size } },
        ));

  it('lgb_label_1.onnx answers three rows of one request', () =>
    withServer(['--model', reportedFile('lgb_label_1.onnx')], async (server) => {
      await server.ready();
      const rows = [
        [0.1, 3, 0.2, 0.3],
        [2, 3, 4, 5],
        [6, 1, 2, 0],
      ];
      const together = (await answerOf(server, { data: rows })) as Record<string, unknown[]>;
      for (const [at, row] of rows.entries()) {
        const alone = (await answerOf(server, { data: [row] })) as Record<string, unknown[]>;
        for (const name of Object.keys(alone)) assert.deepEqual(together[name]?.[at], alone[name]?.[0], name);
      }
    }));
});

describe('the verdict of a reported model', { skip: missing }, () => {
  for (const file of ['rescale.onnx', 'batch_impute.onnx', 'rf_iris_like.onnx', 'lgb_label_1.onnx', 'skl_logreg_strlabels.onnx'])
    it(`${file}: is the same in three starts`, async () => {
      const verdicts = new Set<string>();
      for (let start = 0; start < 3; start++)
        await withServer(['--model', reportedFile(file)], async (server) => {
          await server.ready();
          verdicts.add(JSON.stringify(await batchingOf(server, path.basename(file, '.onnx'))));
        });
      assert.equal(verdicts.size, 1, Array.from(verdicts).join('\n'));
    });
});
