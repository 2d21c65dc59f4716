import assert from 'node:assert/strict';
import test from 'node:test';
import { ownRuntime, RUNTIME_VERSION, whyNotShared } from '../../../server/inference/shared-runtime.ts';

test('a range fits that takes a version of the same major which is not above the own one', () => {
  const fitting = [
    '1.21.0',
    '^1.14.0',
    `~${RUNTIME_VERSION}`,
    '>=1.0.0 <2',
    '<2',
    '<=1.40.0',
    '*',
    '',
    'latest',
    '1.x',
    '1',
    '1.0.0 - 2.0.0',
  ];
  for (const range of [...fitting, '^1.0.0 || ^2.0.0', '1.22.0-dev.20250409-89f8206ba4', 'file:../copy', 'https://host/copy-2.0.0.tgz'])
    assert.equal(whyNotShared(range), undefined, range);
  for (const range of ['^2.0.0', '>=2', '1.999.0', '0.9.0', '2 || 3', '> 1.999'])
    assert.ok(whyNotShared(range)?.includes(`got ${range}.`), range);
});

test('only the package itself and what is in it are shared', () => {
  assert.match(ownRuntime('onnxruntime-node') ?? '', /node_modules\/onnxruntime-node\/dist\/index\.js$/);
  assert.match(ownRuntime('onnxruntime-node/package.json') ?? '', /node_modules\/onnxruntime-node\/package\.json$/);
  for (const name of ['onnxruntime-common', 'onnxruntime-node-gpu', 'onnxruntime-web']) assert.equal(ownRuntime(name), undefined);
});
