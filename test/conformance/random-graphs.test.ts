/**
 * The soundness of the analysis on random graphs: where rows in a batch answer differently, it must
 * not have said row-wise. `RANDOM_GRAPHS=20000 RANDOM_SEED=1` runs more of them, from another seed.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { followModel } from '../../server/inference/graph/follow-model.ts';
import { randomBatches, randomGraph } from '../models/random-graphs.ts';
import { bytesOf, type RowModel } from '../models/rows/row-model.ts';
import { differenceOfRows, withModel } from '../models/rows/run-rows.ts';

process.env['ORT_DISABLE_TELEMETRY'] = '1';
const COUNT = Number(process.env['RANDOM_GRAPHS'] ?? 2000);
const FIRST = Number(process.env['RANDOM_SEED'] ?? 1);
/** Of numbers that were rounded. Sums of whole numbers are exact. */
const TOLERANCE = { relative: 1e-3, absolute: 1e-3 };
const folder = mkdtempSync(path.join(tmpdir(), 'random-graphs-'));
after(() => rmSync(folder, { recursive: true }));

/**
 * The first difference in three batches. 'refused' stands for a model that ONNX Runtime does not
 * run.
 */
async function judge(model: RowModel, seed: number): Promise<string | undefined> {
  try {
    return await withModel(bytesOf(model), async (run) => {
      for (const { rows, odd } of randomBatches(model, seed)) {
        const difference = await differenceOfRows(run, rows, { tolerance: TOLERANCE, except: odd });
        if (difference !== undefined) return difference;
      }
      return undefined;
    });
  } catch {
    return 'refused';
  }
}

test(`of ${COUNT} random graphs from seed ${FIRST}, none that mixes rows is called row-wise`, async (report) => {
  const counts = { nothing: 0, refused: 0, alone: 0, mixing: 0, aloneRowWise: 0, aloneMixed: 0, mixingMixed: 0 };
  const wrong: string[] = [];
  for (let seed = FIRST; seed < FIRST + COUNT; seed++) {
    const model = randomGraph(seed);
    const difference = model && (await judge(model, seed));
    if (model === undefined) counts.nothing += 1;
    else if (difference === 'refused') counts.refused += 1;
    else {
      const file = path.join(folder, 'model.onnx');
      writeFileSync(file, bytesOf(model));
      const { rows, reason } = followModel(file);
      const kind = difference === undefined ? 'alone' : 'mixing';
      counts[kind] += 1;
      if (rows === 'mixed') counts[`${kind}Mixed`] += 1;
      if (rows === 'row-wise' && kind === 'alone') counts.aloneRowWise += 1;
      if (rows === 'row-wise' && kind === 'mixing') {
        wrong.push(`RANDOM_SEED=${seed}, opset ${model.versions.opset}: ${difference}, but the graph says "${reason}"\n${model.text}`);
      }
    }
  }
  report.diagnostic(JSON.stringify(counts));
  assert.ok(counts.mixing > COUNT / 5 && counts.alone > COUNT / 5, 'expected graphs of both kinds');
  assert.ok(counts.refused < COUNT / 20, `expected ONNX Runtime to run nearly all, got ${counts.refused} refusals`);
  assert.equal(wrong.length, 0, `${wrong.length} graphs\n${wrong.slice(0, 3).join('\n\n')}`);
});
