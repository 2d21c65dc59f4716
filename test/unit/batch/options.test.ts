import assert from 'node:assert/strict';
import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { batchFlags, readBatchOptions } from '../../../server/batch/options.ts';
import { takeFlags } from '../../../server/commands/flags.ts';
import { ServerError } from '../../../server/errors.ts';
import { folder } from '../../set-up/folder.ts';

const cwd = folder();
mkdirSync(join(cwd, 'in'));
writeFileSync(join(cwd, 'in.jsonl'), '');
symlinkSync('in.jsonl', join(cwd, 'link.jsonl'));
linkSync(join(cwd, 'in.jsonl'), join(cwd, 'hard.jsonl'));
symlinkSync('in', join(cwd, 'linked'));

const read = (...args: string[]): ReturnType<typeof readBatchOptions> =>
  readBatchOptions(takeFlags(batchFlags, args).given, { env: { JOB_COMPLETION_INDEX: '1' }, cwd });

test('the flags of the command are taken out, those of serve are left, in both spellings', () => {
  const { given: flags, rest } = takeFlags(batchFlags, [
    '--model',
    'a.onnx',
    '--input=in',
    '--error_threshold',
    '-1',
    '--output',
    '-',
    '--port=1',
  ]);
  assert.deepEqual(
    [...flags],
    [
      ['input', 'in'],
      ['error-threshold', '-1'],
      ['output', '-'],
    ],
  );
  assert.deepEqual(rest, ['--model', 'a.onnx', '--port=1']);
});

test('paths are those of the current folder, and the rest has defaults', () => {
  assert.deepEqual(read('--input', 'in', '--output', 'out.jsonl'), {
    input: join(cwd, 'in'),
    isFolder: true,
    output: join(cwd, 'out.jsonl'),
    shard: { index: 0, of: 1 },
    errorThreshold: -1,
  });
  const { isFolder, shard, errorThreshold } = read('--input', '-', '--output', '-', '--shard', 'auto/2', '--error-threshold', '0');
  assert.deepEqual([isFolder, shard, errorThreshold], [false, { index: 1, of: 2 }, 0]);
});

for (const [args, says] of [
  [[], /--input: expected this flag.*\n--output: expected this flag/s],
  [['--input', 'none', '--output', '-'], /--input: expected a file or a folder that is there/],
  [['--input', 'in', '--output', 'in/out.jsonl'], /--output: expected a file outside of the input/],
  [['--input', 'in.jsonl', '--output', 'in.jsonl'], /--output: expected a file outside of the input/],
  [['--input', 'in.jsonl', '--output', 'link.jsonl'], /--output: expected a file outside of the input/],
  [['--input', 'in.jsonl', '--output', 'hard.jsonl'], /--output: expected a file outside of the input/],
  [['--input', 'in', '--output', 'linked/out.jsonl'], /--output: expected a file outside of the input/],
  [['--input', 'linked', '--output', 'in/out.jsonl'], /--output: expected a file outside of the input/],
  [['--input', 'in', '--output', 'none/out.jsonl'], /--output: expected a file in a folder that is there/],
  [['--input', 'in', '--output', '-', '--shard', '3'], /--shard: expected i\/n/],
  [['--input', 'in', '--output', '-', '--error-threshold', '-2'], /--error-threshold: expected a whole number/],
  [['--input', 'in', '--output', '-', '--input', 'in'], /--input: expected once, got twice/],
  [['--input', 'in', '--output'], /--output: expected a value/],
  [['--output', '--input', 'in'], /--output: expected a value/],
] as const)
  test(`usage is refused: ${args.join(' ')}`, () => {
    assert.throws(
      () => read(...args),
      (thrown) => thrown instanceof ServerError && thrown.code === 'usage' && says.test(thrown.message),
    );
  });
