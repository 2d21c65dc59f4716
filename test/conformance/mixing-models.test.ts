import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { followModel } from '../../server/inference/graph/follow-model.ts';
import type { GraphVerdict } from '../../server/inference/graph/verdict.ts';
import { mixingModels } from '../models/mixing-models.ts';
import { type ModelName, modelBytes } from '../models/models.ts';
import { readInputs } from '../models/onnx-text.ts';
import { bytesOf, feedsOf, randomFeed, type RowModel } from '../models/rows/row-model.ts';
import { differenceOfRows, withModel } from '../models/rows/run-rows.ts';
import { rowWiseModels } from '../models/row-wise-models.ts';

process.env['ORT_DISABLE_TELEMETRY'] = '1';
const folder = mkdtempSync(path.join(tmpdir(), 'merging-'));
after(() => rmSync(folder, { recursive: true }));

async function verdictOf(name: string, bytes: Buffer): Promise<GraphVerdict> {
  const file = path.join(folder, `${name}.onnx`);
  writeFileSync(file, bytes);
  return followModel(file);
}

const SCALES = [1e-3, 1, 1e2, 1e4];

/** Two rows of each scale, the rows that the model brings, all in one batch. */
function rowsOfAllScales(model: RowModel): ReturnType<typeof feedsOf> {
  const ports = readInputs(model.text);
  const open = ports.some(({ dims }) => dims.slice(1).some((dim) => typeof dim === 'string'));
  const own = model.rows === undefined || open ? [] : feedsOf(model);
  return [...SCALES, ...SCALES].map((scale, seed) => randomFeed(ports, seed, scale)).concat(own);
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
      const { rows, reason } = await verdictOf(model.name, bytesOf(model));
      assert.notEqual(rows, 'row-wise', reason);
    });
  }
});

describe('a model whose rows are alone', () => {
  it('has a name of its own', () => {
    assert.equal(new Set(rowWiseModels.map(({ name }) => name)).size, rowWiseModels.length);
    assert.ok(rowWiseModels.length >= 60);
  });

  for (const model of rowWiseModels) {
    it(`${model.name}: ${model.how}`, async () => {
      const difference = await withModel(bytesOf(model), (run) => differenceOfRows(run, rowsOfAllScales(model)));
      assert.equal(difference, undefined);
    });
  }

  it('is called row-wise, nine times of ten at least', async (test) => {
    const others: string[] = [];
    for (const model of rowWiseModels) {
      const { rows, reason, node } = await verdictOf(model.name, bytesOf(model));
      if (rows !== 'row-wise') others.push(`${model.name}: ${rows}, ${reason} (${node ?? 'no node'})`);
    }
    const found = rowWiseModels.length - others.length;
    const summary = [`${found} of ${rowWiseModels.length} are called row-wise`, ...others].join('\n');
    test.diagnostic(summary);
    assert.ok(found >= rowWiseModels.length * 0.9, summary);
  });

  for (const name of ['diabetes', 'ridge', 'mlp', 'cnn', 'gbdt', 'multi', 'columns', 'minilm', 'echo_string'] satisfies ModelName[]) {
    it(`${name} of the project's own models is called row-wise`, async () => {
      const { rows, reason } = await verdictOf(name, modelBytes(name));
      assert.equal(rows, 'row-wise', reason);
    });
  }
});
