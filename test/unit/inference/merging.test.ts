import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { followModel } from '../../../server/inference/graph/follow-model.ts';
import type { GraphVerdict } from '../../../server/inference/graph/verdict.ts';
import { mixingModels } from '../../models/mixing-models.ts';
import { bytesOf, feedsOf, type RowModel } from '../../models/rows/row-model.ts';
import { differenceOfRows, withModel } from '../../models/rows/run-rows.ts';

process.env['ORT_DISABLE_TELEMETRY'] = '1';
const folder = mkdtempSync(path.join(tmpdir(), 'merging-'));
after(() => rmSync(folder, { recursive: true }));

async function verdictOf(model: RowModel): Promise<GraphVerdict> {
  const file = path.join(folder, `${model.name}.onnx`);
  writeFileSync(file, bytesOf(model));
  return followModel(file);
}

describe('a model that mixes rows', () => {
  it('has a name of its own', () => {
    assert.equal(new Set(mixingModels.map(({ name }) => name)).size, mixingModels.length);
    assert.ok(mixingModels.length >= 120);
  });

  for (const model of mixingModels) {
    it(`${model.name}: ${model.how}`, async () => {
      if (model.neverRuns === undefined) {
        const difference = await withModel(bytesOf(model), (run) => differenceOfRows(run, feedsOf(model)));
        assert.notEqual(difference, undefined, 'expected rows in a batch to answer differently');
      } else {
        await assert.rejects(withModel(bytesOf(model), (run) => differenceOfRows(run, feedsOf(model))));
      }
      const { rows, reason } = await verdictOf(model);
      assert.notEqual(rows, 'row-wise', reason);
    });
  }
});
