import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { withServer } from '../e2e/start-server.ts';
import { FOLDER, missing } from './fixtures.ts';

const COLUMNS = ['Age', 'Monthly Income (€)', 'Körper/Größe', 'city', 'constructor', 'children'];
const NAMES = ['Age', 'Monthly_Income____', 'Körper_Größe', 'city', 'constructor', 'children'];
const ROW = [31.9, 2419.0, 164.7, 'Berlin', 'b', 3];
const record = (names: readonly string[], row: readonly unknown[] = ROW): object =>
  Object.fromEntries(names.map((name, at) => [name, row[at]]));
const split = (columns: readonly string[], row: readonly unknown[] = ROW): object => ({ input_data: { columns, index: [0], data: [row] } });

/** Runs requests on a reported model: a pattern is the message of a 400, undefined any answer. */
async function score(file: string, requests: readonly (readonly [body: object | string, expected: unknown])[]): Promise<unknown[]> {
  const answers: unknown[] = [];
  await withServer(['--model', join(FOLDER, 'reported', file)], async (server) => {
    await server.ready();
    for (const [body, expected] of requests) {
      const answer = await fetch(await server.url('/score'), {
        method: 'POST',
        body: typeof body === 'string' ? body : JSON.stringify(body),
      });
      const got = (await answer.json()) as { message?: string };
      assert.equal(answer.status, expected instanceof RegExp ? 400 : 200, JSON.stringify(got));
      if (expected instanceof RegExp) assert.match(got.message ?? '', expected);
      else if (expected !== undefined) assert.deepEqual(got, expected);
      answers.push(got);
    }
  });
  return answers;
}

describe('models that were reported for their inputs', { skip: missing }, () => {
  it('skl_dataframe_pipeline takes the tables of pandas, and names columns that do not fit', async () => {
    const taken = [split(COLUMNS), split(NAMES), { input_data: [record(COLUMNS)] }, { data: [record(NAMES)] }];
    const [first, ...others] = await score('skl_dataframe_pipeline.onnx', [
      ...taken.map((body) => [body, undefined] as const),
      [split(NAMES, [null, ...ROW.slice(1)]), undefined],
      [split([...COLUMNS, 'extra'], [...ROW, 1]), /got the unknown column "extra"$/],
      [split(COLUMNS.slice(1), ROW.slice(1)), /got no column "Age"$/],
      [split(COLUMNS, [...ROW.slice(0, 5), null]), /^input children\[0\]\[0\]: expected a whole number/],
    ]);
    for (const other of others.slice(0, taken.length - 1)) assert.deepEqual(other, first);
  });

  it('echo_2d has one answer to numbers beyond the range', async () =>
    void (await score('echo_2d.onnx', [
      ['{"data":[[1e999]]}', /^input x\[0\]\[0\]: expected a finite number below/],
      ['{"data":[[1e39]]}', /^input x\[0\]\[0\]: expected a finite number below/],
      ['{"data":[[1e999,"NaN"]]}', /^input x\[0\]\[0\]: expected a finite number below/],
      ['{"data":[[1,true,false]]}', [[1, 1, 0]]],
    ])));

  it('shared_dim asks for equal sizes', async () =>
    void (await score('shared_dim.onnx', [
      [
        {
          inputs: {
            a: [
              [1, 2, 3],
              [1, 2, 3],
            ],
            b: [
              [1, 2, 3],
              [1, 2, 3],
              [1, 2, 3],
            ],
          },
        },
        /^input b: .* input a .* batch/,
      ],
      [
        {
          inputs: {
            a: [
              [1, 2, 3],
              [1, 2, 3],
            ],
            b: [[1, 2, 3]],
          },
        },
        /^input b: .* input a .* batch/,
      ],
      [{ inputs: { a: [[1, 2, 3]], b: [[1, 2, 3]] } }, undefined],
    ])));
});
