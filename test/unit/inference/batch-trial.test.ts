import assert from 'node:assert/strict';
import test from 'node:test';
import type { Tensor } from '../../../server/entry-script.ts';
import { tryRows, type TrialModel } from '../../../server/inference/batch-trial.ts';
import type { Tensors } from '../../../server/inference/batcher.ts';

type Row = readonly number[];
/** Answers of a stand-in for a model of float32 x [N,2]: one number a row. */
type Rule = (rows: readonly Row[]) => readonly number[];

const sum = (row: Row): number => row.reduce((total, value) => total + value, 0);

function modelOf(rule: Rule, type: 'float32' | 'int64' = 'float32'): TrialModel {
  return {
    inputs: [{ name: 'x', type, dims: ['N', 2] }],
    outputs: [{ name: 'y', type: 'float32', dims: ['N'] }],
    limitMs: 60_000,
    infer: async ({ x }) => {
      const values = Array.from<number | bigint>(x!.data as Float32Array | BigInt64Array).map(Number);
      const rows = Array.from({ length: x!.dims[0]! }, (_, row) => values.slice(row * 2, row * 2 + 2));
      const answers = Float32Array.from(rule(rows));
      return { y: { type: 'float32', dims: [answers.length], data: answers } };
    },
  };
}

const mixing: Readonly<Record<string, [rule: Rule, type?: 'int64']>> = {
  'a mean of the batch is subtracted': [
    (rows) => rows.map((row) => sum(row) - rows.reduce((all, each) => all + sum(each), 0) / rows.length),
  ],
  'all rows are scaled if one is large': [
    (rows) => (Math.max(...rows.flat().filter((value) => !Number.isNaN(value))) > 1 ? rows.map((row) => sum(row) / 255) : rows.map(sum)),
  ],
  'all rows are scaled if one is large, with a comparison that NaN makes false': [
    (rows) => (Math.max(...rows.flat()) > 200 ? rows.map((row) => sum(row) / 255) : rows.map(sum)),
  ],
  'all rows are scaled by the largest one': [
    (rows) => {
      const largest = Math.max(...rows.flat().map((value) => Math.abs(value) || 0));
      return rows.map((row) => sum(row) / largest);
    },
  ],
  'NaN becomes the mean of others': [
    (rows) => {
      const known = rows.flat().filter((value) => !Number.isNaN(value));
      const mean = known.reduce((total, value) => total + value, 0) / known.length;
      return rows.map((row) => sum(row.map((value) => (Number.isNaN(value) ? mean : value))));
    },
  ],
  'the first row decides': [(rows) => rows.map((row) => sum(row) + (rows[0]![0]! > 50 ? 1 : 0))],
  'the last row decides': [(rows) => rows.map((row) => sum(row) + (rows.at(-1)![0]! > 50 ? 1 : 0))],
  'each row sees the one before it': [(rows) => rows.map((row, at) => sum(row) + (rows[at - 1]?.[0] ?? 0))],
  'the number of rows counts': [(rows) => rows.map((row) => sum(row) + rows.length)],
  'integers above 100 meet': [(rows) => rows.map((row) => sum(row) + (rows.flat().some((value) => value > 100) ? 1 : 0)), 'int64'],
  'the largest integer is the size': [(rows) => rows.map((row) => sum(row) / (1 + Math.max(...rows.flat()))), 'int64'],
};

for (const [what, [rule, type]] of Object.entries(mixing)) {
  test(`a trial sees that rows meet where ${what}`, async () => {
    assert.deepEqual(await tryRows(modelOf(rule, type), []), { result: 'differs', reason: 'output y of a row differs in a batch' });
  });
}

test('rows that do not meet agree: sums, and steps as trees have them, whose answers depend on large values only', async () => {
  for (const rule of [(row: Row) => sum(row), (row: Row) => (row[0]! > 2.45 ? 1 : 0), (row: Row) => Number(row.some(Number.isNaN))])
    assert.deepEqual(
      await tryRows(
        modelOf((rows) => rows.map(rule)),
        [],
      ),
      {
        result: 'agrees',
        reason: 'rows run alone equal rows run together',
      },
    );
});

test('an answer that never changes proves nothing', async () => {
  assert.deepEqual(
    await tryRows(
      modelOf((rows) => rows.map(() => 1)),
      [],
    ),
    {
      result: 'inconclusive',
      reason: 'the answer does not depend on the rows of the trial',
    },
  );
});

test('rows that the model refuses alone are left out, so that the milder ones decide', async () => {
  const refusing =
    (least: number, rule: Rule): Rule =>
    (rows) => {
      if (rows.flat().some((value) => !(Math.abs(value) <= least))) throw new Error(`${least} is the largest index`);
      return rule(rows);
    };
  assert.equal((await tryRows(modelOf(refusing(1, (rows) => rows.map(sum))), [])).result, 'agrees');
  assert.equal((await tryRows(modelOf(refusing(999, mixing['the largest integer is the size']![0]), 'int64'), [])).result, 'differs');
  assert.deepEqual(await tryRows(modelOf(refusing(-1, (rows) => rows.map(sum))), []), {
    result: 'inconclusive',
    reason: 'the model refuses the rows of the trial',
  });
});

test('a model that refuses a batch of rows which it takes alone, or answers other than a row for each, is not merged', async () => {
  const alone: Rule = (rows) => {
    if (rows.length > 1) throw new Error('one at a time');
    return rows.map(sum);
  };
  assert.equal((await tryRows(modelOf(alone), [])).reason, 'the model refuses rows together that it takes alone');
  assert.equal(
    (
      await tryRows(
        modelOf((rows) => [...rows.map(sum), 0]),
        [],
      )
    ).reason,
    'output y of one row is not one row',
  );
  assert.equal(
    (
      await tryRows(
        modelOf(() => [1]),
        [],
      )
    ).reason,
    'output y of a batch has not one row for each row',
  );
});

test('large numbers that round differently in a batch of another size are no proof of meeting rows', async () => {
  // As kernels do, the stand-in adds in another order for other sizes; the difference is chaotic.
  const rounds: Rule = (rows) => rows.map((row) => (Math.abs(row[0]!) > 200 ? Math.sin(sum(row) * 1e6 + rows.length) : sum(row)));
  assert.equal((await tryRows(modelOf(rounds), [])).result, 'agrees');
  const meets: Rule = (rows) => rows.map((row) => (Math.abs(row[0]!) > 200 ? sum(row) + sum(rows[0]!) : sum(row)));
  assert.equal((await tryRows(modelOf(meets), [])).result, 'differs');
});

test('with a sample its rows are tried and varied, and none is made up', async () => {
  const seen: number[] = [];
  const watch =
    (rule: Rule): Rule =>
    (rows) => {
      seen.push(...rows.flat());
      return rule(rows);
    };
  const sample: Tensors = { x: { type: 'float32', dims: [2, 2], data: Float32Array.of(500, 600, 700, 800) } };
  assert.equal((await tryRows(modelOf(watch((rows) => rows.map(sum))), [sample])).result, 'agrees');
  assert.ok([500, 600, 700, 800].every((value) => seen.includes(value)));
  assert.ok(
    seen.every((value) => !(value < 0)),
    'a variation keeps the sign',
  );
  const trial = await tryRows(modelOf(mixing['a mean of the batch is subtracted']![0]), [sample]);
  assert.equal(trial.reason, "output y of a row differs in a batch (on the script's sample)");
});

test('samples of different shapes are tried apart, and one without rows proves nothing', async () => {
  const model: TrialModel = {
    inputs: [{ name: 'x', type: 'float32', dims: ['N', 'T'] }],
    outputs: [{ name: 'y', type: 'float32', dims: ['N', 'T'] }],
    limitMs: 60_000,
    infer: async ({ x }) => ({ y: x! }),
  };
  const of = (dims: readonly number[]): Tensors => {
    const x: Tensor = { type: 'float32', dims, data: Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, at) => at) };
    return { x };
  };
  assert.equal((await tryRows(model, [of([1, 2]), of([3, 4])])).result, 'agrees');
  assert.equal((await tryRows(model, [of([0, 2])])).result, 'inconclusive');
  assert.equal((await tryRows(model, [of([])])).result, 'inconclusive');
});

/** A model on a clock of its own: each row takes so many milliseconds. */
function timed(ms: number, rule: Rule): { readonly model: TrialModel; readonly sizes: number[] } {
  let now = 0;
  const sizes: number[] = [];
  const counted: Rule = (rows) => {
    now += ms * rows.length;
    sizes.push(rows.length);
    return rule(rows);
  };
  return { model: { ...modelOf(counted), limitMs: 1000, now: () => now }, sizes };
}

test('a trial whose time is over once its first batch was compared agrees, or says how that differs', async () => {
  const alone = 7;
  // The rows alone take less than the limit. The batch of all but the one with NaN ends after it.
  for (const ms of [80, 120, 140]) {
    const { model, sizes } = timed(ms, (rows) => rows.map(sum));
    assert.equal((await tryRows(model, [])).result, 'agrees', String(ms));
    assert.deepEqual(sizes, [...Array.from({ length: alone }, () => 1), alone - 1]);
    const { model: differing } = timed(ms, (rows) => rows.map((row) => sum(row) + rows.length));
    assert.equal((await tryRows(differing, [])).result, 'differs', String(ms));
  }
  const { model, sizes } = timed(10, (rows) => rows.map(sum));
  assert.equal((await tryRows(model, [])).result, 'agrees');
  assert.ok(sizes.length > alone + 1, 'expected more batches where there is time');
});

test('a trial whose time is over before a batch was compared ends with the same words, however far it came', async () => {
  for (const ms of [145, 200, 600]) {
    let now = 0;
    let runs = 0;
    const model: TrialModel = {
      ...modelOf((rows) => {
        now += ms * rows.length;
        runs++;
        return rows.map(sum);
      }),
      limitMs: 1000,
      now: () => now,
    };
    assert.deepEqual(await tryRows(model, []), { result: 'inconclusive', reason: 'the trial of rows takes too long' });
    assert.ok(now <= 1000 + ms * 8, `${now} ms in ${runs} runs`);
  }
});

test('two trials run the same rows', async () => {
  const rowsOf = async (): Promise<Row[]> => {
    const seen: Row[] = [];
    await tryRows(
      modelOf((rows) => {
        seen.push(...rows);
        return rows.map(sum);
      }),
      [],
    );
    return seen;
  };
  assert.deepEqual(await rowsOf(), await rowsOf());
});

test('integers stay in the range of their dtype, decimals too, and texts are digits, empty and long', async () => {
  const texts = new Set<string>();
  const model: TrialModel = {
    inputs: [
      { name: 'small', type: 'int8', dims: ['N', 4] },
      { name: 'half', type: 'float16', dims: ['N', 4] },
      { name: 'text', type: 'string', dims: ['N', 1] },
      { name: 'flag', type: 'bool', dims: ['N', 1] },
    ],
    outputs: [{ name: 'flag', type: 'bool', dims: ['N', 1] }],
    limitMs: 60_000,
    infer: async ({ small, half, text, flag }) => {
      assert.ok(Array.from(small!.data as Int8Array).every((value) => value >= 0));
      assert.ok(half!.data instanceof Uint16Array);
      for (const each of text!.data as string[]) texts.add(each);
      return { flag: flag! };
    },
  };
  assert.equal((await tryRows(model, [])).result, 'agrees');
  assert.ok(texts.has('') && Array.from(texts).some((text) => text.length > 200) && Array.from(texts).some((text) => /^\d$/.test(text)));
});
