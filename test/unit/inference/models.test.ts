import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { specsOf } from '../../../server/inference/runtime-tensors.ts';
import { modelBytes } from '../../models/models.ts';

it('entry-scripts/diabetes.onnx equals the output of the generator', () => {
  const committed = readFileSync(new URL('../../../entry-scripts/diabetes.onnx', import.meta.url));
  assert.deepEqual(committed, modelBytes('diabetes'));
});

it('a tensor specification carries name, dtype and dimensions of the session', () => {
  const metadata = { name: 'a/b', isTensor: true, type: 'int64', shape: ['N', '', 3] } as const;
  assert.deepEqual(specsOf([metadata, { name: 'sequence', isTensor: false }]), [{ name: 'a/b', type: 'int64', dims: ['N', '', 3] }]);
});
