import assert from 'node:assert/strict';
import test from 'node:test';
import { readOptions } from '../../../bench/options.ts';
import { estimateSeconds, makePlan, type Step } from '../../../bench/plan.ts';

const plan = (...args: string[]): Step[] => {
  const options = readOptions(args);
  assert.ok(options);
  return makePlan(options);
};

test('the default run takes less than 40 minutes', () => {
  const options = readOptions([]);
  assert.ok(options);
  assert.ok(estimateSeconds(makePlan(options), options) < 40 * 60);
});

test('a model or a subject by itself selects from the plan, both together name the combinations', () => {
  assert.ok(plan('--models', 'gbdt').every(({ row, subject }) => row === 'gbdt' && subject !== 'fastapi'));
  assert.deepEqual(plan('--models', 'gbdt', '--subjects', 'fastapi'), [
    { row: 'gbdt', subject: 'fastapi', connections: [32], warmUpSeconds: 3 },
  ]);
  assert.deepEqual(plan('--models', 'ridge', '--subjects', 'naive,raw', '--connections', '2,4'), [
    { row: 'ridge', subject: 'naive', connections: [2, 4], warmUpSeconds: 3 },
    { row: 'ridge', subject: 'raw', connections: [1], warmUpSeconds: 3 },
  ]);
});

test('servers of Node come equally warm to the same number of connections', () => {
  const steps = plan('--models', 'ridge', '--seconds', '4');
  const warm = (name: string): number | undefined => steps.find(({ subject }) => subject === name)?.warmUpSeconds;
  assert.deepEqual([warm('ours'), warm('ours-collects'), warm('bare'), warm('fastapi')], [3, 11, 11, 3]);
});

test('the same score.py is measured here and under the server of Azure ML, at the same connections', () => {
  for (const row of ['ridge-sklearn', 'ridge', 'mlp']) {
    const of = (name: string) => plan('--models', row).find(({ subject }) => subject === name)?.connections;
    assert.deepEqual([of('ours-python'), of('azureml')], [[32], [32]]);
  }
});

test('a wrong option is named', () => {
  assert.throws(() => plan('--models', 'ridge,nope'), /no model nope; there are ridge, /);
  assert.throws(() => plan('--subjects', 'nope'), /no subject nope; there are ours, /);
  assert.throws(() => plan('--rounds', '0'), /--rounds: expected a whole number from 1, got 0/);
});

test('only a complete run replaces the results', () => {
  assert.match(readOptions([])?.output ?? '', /bench\/results\.md$/);
  for (const args of [['--quick'], ['--models', 'ridge'], ['--subjects', 'ours']]) assert.equal(readOptions(args)?.output, undefined);
  assert.equal(readOptions(['--quick', '--output', 'x.md'])?.output, 'x.md');
});
