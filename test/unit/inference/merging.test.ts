import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { followModel } from '../../../server/inference/graph/follow-model.ts';
import { mixingModels } from '../../models/mixing-models.ts';
import { bytesOf, type RowModel } from '../../models/rows/row-model.ts';
import { rowWiseModels } from '../../models/row-wise-models.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'merging-'));
after(() => rmSync(folder, { recursive: true }));

/** The models that are called row-wise. What ONNX Runtime answers is compared in conformance/. */
const calledRowWise = (models: readonly RowModel[]): string[] =>
  models.flatMap((model) => {
    const file = path.join(folder, 'model.onnx');
    writeFileSync(file, bytesOf(model));
    return followModel(file).rows === 'row-wise' ? [model.name] : [];
  });

test('no model that mixes rows is called row-wise', () => {
  assert.ok(mixingModels.length >= 120);
  assert.deepEqual(calledRowWise(mixingModels), []);
});

test('nine of ten models whose rows are alone are called row-wise', () => {
  assert.ok(rowWiseModels.length >= 60);
  assert.ok(calledRowWise(rowWiseModels).length >= rowWiseModels.length * 0.9);
});
