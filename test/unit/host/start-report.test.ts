import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import type { Config } from '../../../server/config/config.ts';
import { ServerError } from '../../../server/errors.ts';
import { reportFailure, reportFound } from '../../../server/host/start-report.ts';
import { config } from '../../http/start.ts';
import { folder } from '../../set-up/folder.ts';
import { LogLines } from '../../set-up/log-lines.ts';

/** The line of a failed start. */
function failed(message: string, changes: Partial<Config> = {}) {
  const { log, lines } = new LogLines();
  const exitCode = reportFailure(log, new ServerError('script_broken', message), config(changes));
  assert.equal(exitCode, 3);
  const [line] = lines;
  assert.ok(line !== undefined);
  return line;
}

const FRAMES = '    at init (file:///app/score.ts:2:9)\n    at async start (file:///server/worker/main.ts:114:15)';

const PYTHON_FRAMES = '  File "/app/score.py", line 3, in init\n    load()\n';

/** Texts of failed starts, and the line about each. */
const cases: readonly (readonly [text: string, msg: string])[] = [
  ['the script does not exist', 'the script does not exist'],
  [`init() failed: Error: no weights\n${FRAMES}`, 'init() failed: Error: no weights'],
  [`cannot import /app/score.ts\nError: no licence\n${FRAMES}`, 'cannot import /app/score.ts; Error: no licence'],
  [
    "cannot import /app/score.ts\nError [ERR_MODULE_NOT_FOUND]: Cannot find package 'a'\nRun `npm install a` in /app.",
    "cannot import /app/score.ts; Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'a'; Run `npm install a` in /app.",
  ],
  [
    'cannot import /app/score.ts\nfile:///app/score.ts:3\nModel.load(data);\n   ^\n}\n\nSyntaxError: Unexpected token',
    'cannot import /app/score.ts; SyntaxError: Unexpected token',
  ],
  [
    'cuda cannot be used. Missing:\n  - a driver: install one.\n  - a device',
    'cuda cannot be used. Missing: - a driver: install one. - a device',
  ],
  [
    `init() failed: Error: outer\n${FRAMES} {\n  code: 'X',\n  [cause]: TypeError: inner\n      at load (file:///app/score.ts:9:1)\n}`,
    'init() failed: Error: outer',
  ],
  [
    `init() failed:\nTraceback (most recent call last):\n${PYTHON_FRAMES}KeyError: 'a'\n\nThe above exception was the direct cause of the following exception:\n\nTraceback (most recent call last):\n${PYTHON_FRAMES}sklearn.exceptions.NotFittedError: fit it\n`,
    "init() failed: KeyError: 'a'; sklearn.exceptions.NotFittedError: fit it",
  ],
  [
    'cannot import /app/score.py\n  File "/app/score.py", line 1\n    def (\n        ^\nSyntaxError: invalid syntax\n',
    'cannot import /app/score.py; SyntaxError: invalid syntax',
  ],
];
for (const [text, msg] of cases)
  test(`a failed start is one line, and the rest is its stack: ${JSON.stringify(text).slice(0, 60)}`, () => {
    const line = failed(text);
    assert.equal(line.msg, msg);
    assert.equal(line['stack'] ?? line['text'], text.includes('\n') ? text : undefined);
    assert.equal('stack' in line, /^ +at |^ +File |SyntaxError/m.test(text));
    assert.equal(line['level'], 'fatal');
  });

test('the files of the model directory are a field of their own', () => {
  const line = failed('no model', { modelDir: import.meta.dirname });
  assert.equal(line.msg, 'no model');
  assert.match(String(line['tree']), /^The model directory .* holds:\n[\s\S]*start-report\.test\.ts/);
});

/** The lines about files of an application, of which the first is served. */
function told(files: readonly string[], changes: Partial<Config> = {}): string[] {
  const appRoot = folder();
  mkdirSync(join(appRoot, 'code'));
  for (const file of files) writeFileSync(join(appRoot, file), '');
  const { log, lines } = new LogLines();
  const found = { kind: 'entry script', modelFile: undefined, modelDir: undefined, importPath: [appRoot] } as const;
  reportFound(log, config({ appRoot, ...changes }), { ...found, entryScript: join(appRoot, files[0] ?? '') });
  return lines.map(({ level, msg }) => `${level}: ${msg.replaceAll(appRoot, '')}`);
}

test('of several entry scripts one is served, and a line says which, unless an option names it', () => {
  const line = 'info: several entry scripts are there, and /main.ts is served: name another with AZUREML_ENTRY_SCRIPT';
  assert.deepEqual(told(['main.ts', 'main.py']), [line]);
  assert.deepEqual(told(['main.ts', 'score.py', 'main.py'], { entryScript: 'main.ts' }), []);
  assert.deepEqual(told(['main.py', 'other.py']), []);
});

test("a configuration of Python's logging has no effect for other scripts, and a line says what to use", () => {
  const line = (path: string): string =>
    `warn: ${path} has no effect: it configures Python's logging. Use AZUREML_LOG_LEVEL and LOG_FORMAT`;
  assert.deepEqual(told(['main.ts', 'logging.json']), [line('/logging.json')]);
  assert.deepEqual(told(['code/score.ts', 'code/logging.json']), [line('/code/logging.json')]);
  assert.deepEqual(told(['code/score.ts', 'code/logging.json', 'logging.json']), [line('/logging.json')]);
  assert.deepEqual(told(['main.py', 'logging.json']), []);
});
