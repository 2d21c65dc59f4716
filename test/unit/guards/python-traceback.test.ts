import assert from 'node:assert/strict';
import test from 'node:test';
import { pythonTraceback } from '../../../server/guards/python-traceback.ts';

const frame = (name: string, line: number): string => `  File "/app/score.py", line ${line}, in ${name}\n    call()\n    ^^^^^^\n`;
const BEGIN = 'Traceback (most recent call last):\n';

test('a traceback is its errors, and the frames of the last one', () => {
  const text = `init() raised: ${BEGIN}${frame('load', 3)}KeyError: 'a'\n\nThe above exception was the direct cause of the following exception:\n\n${BEGIN}${frame('init', 9)}${frame('inner', 7)}pkg.NotFitted: fit it\nsecond line\nInstall a.`;
  const parts = pythonTraceback(text);
  assert.deepEqual(parts?.told, ['init() raised:', "KeyError: 'a'", 'pkg.NotFitted: fit it', 'second line', 'Install a.']);
  assert.deepEqual(parts?.frames, [
    { file: '/app/score.py', line: 7, name: 'inner' },
    { file: '/app/score.py', line: 9, name: 'init' },
  ]);
});

test('a group is its own error and those in it', () => {
  const text = `init() raised:   + Exception Group Traceback (most recent call last):
  |   File "/app/score.py", line 4, in init
  |     async with asyncio.TaskGroup() as group:
  | ExceptionGroup: unhandled errors in a TaskGroup (2 sub-exceptions)
  +-+---------------- 1 ----------------
    | Traceback (most recent call last):
    |   File "/app/score.py", line 2, in bad
    |     raise ValueError("a")
    | ValueError: a
    +---------------- 2 ----------------
    | KeyError: 'b'
    +------------------------------------`;
  assert.deepEqual(pythonTraceback(text), {
    told: ['init() raised:', 'ExceptionGroup: unhandled errors in a TaskGroup (2 sub-exceptions)', 'ValueError: a', "KeyError: 'b'"],
    frames: [{ file: '/app/score.py', line: 2, name: 'bad' }],
  });
});

test('an error of syntax has a place and no function', () => {
  const text = 'cannot import\n  File "/app/score.py", line 1\n    def (\n        ^\nSyntaxError: invalid syntax';
  assert.deepEqual(pythonTraceback(text), {
    told: ['cannot import', 'SyntaxError: invalid syntax'],
    frames: [{ file: '/app/score.py', line: 1, name: '<module>' }],
  });
});

test('other texts have none', () => {
  for (const text of ['', 'x', 'Error: no\n    at f (a.ts:1:2)', 'File "x", line 3']) assert.equal(pythonTraceback(text), undefined);
});
