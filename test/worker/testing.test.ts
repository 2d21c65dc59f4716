import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { symlinkSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { ScoringError } from 'scoring-server';
import { loadScript } from 'scoring-server/testing';
import { folder } from '../set-up/folder.ts';
import { SCRIPTS } from './start-workers.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

test('loadScript runs init and run of the sample in this process', async () => {
  const script = await loadScript(new URL('../../entry-scripts/diabetes.ts', import.meta.url));
  const [first] = (await script.run({ data: [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]] })) as Float64Array;
  assert.ok(Math.abs((first ?? 0) - 11633.100167144921) < 1e-8);
  await assert.rejects(script.run({ data: [[1]] }), { code: 'invalid_input' });
  await script.close();
});

test('what run() throws reaches the test, the class of ScoringError included', async () => {
  const script = await loadScript(join(SCRIPTS, 'scoring-error.ts'));
  await assert.rejects(script.run({ status: 422 }), (error) => error instanceof ScoringError && error.status === 422);
});

test('run() gets a request that the test can shape', async () => {
  const script = await loadScript(join(SCRIPTS, 'request.ts'));
  assert.deepEqual(await script.run({}, { id: 'mine', url: '/score?a=1', headers: new Headers({ 'x-custom': 'h' }) }), {
    id: 'mine',
    clientRequestId: undefined,
    traceId: '00000000000000000000000000000001',
    method: 'POST',
    url: '/score?a=1',
    query: { a: '1' },
    header: 'h',
  });
});

test('what a script counts can be read', async () => {
  const script = await loadScript(join(SCRIPTS, 'own-metrics.ts'));
  assert.equal(script.metric('tokens_total', { kind: 'in' }), undefined);
  await script.run('abc');
  await script.run('de');
  assert.equal(script.metric('tokens_total', { kind: 'in' }), 5);
  assert.equal(script.metric('cache_entries'), 2);
  assert.deepEqual(script.metric('text_characters'), { count: 2, sum: 5 });
  assert.throws(() => script.metric('none'), /it has: tokens_total, cache_entries, text_characters/);
  assert.throws(() => script.metric('tokens_total'), TypeError);
});

test('what a script collects is there to look at, also after an await', async () => {
  const script = await loadScript(join(SCRIPTS, 'collects.ts'));
  await Promise.all(['a', 'b'].map((id) => script.run({}, { id })));
  const ids = (collection: string): string[] => script.collected.filter((each) => each.collection === collection).map(({ id }) => id);
  assert.deepEqual(
    [ids('model_inputs').toSorted(), ids('model_outputs').toSorted()],
    [
      ['a', 'b'],
      ['a', 'b'],
    ],
  );
  assert.deepEqual(script.collected[0]?.rows, [
    { y: 1, w: 3 },
    { y: 2, w: 4 },
  ]);
  await assert.rejects(script.run({ wrong: true }), /columns of the same length/);
});

test('a broken script is refused as the server refuses it', () =>
  assert.rejects(loadScript(join(SCRIPTS, 'no-run.ts')), { code: 'script_broken' }));

function project(): string {
  const path = folder();
  writeFileSync(
    join(path, 'score.ts'),
    "import { ScoringError } from 'scoring-server';\nexport const init = () => {};\nexport const run = () => new ScoringError(400, 'x').status;\n",
  );
  writeFileSync(
    join(path, 'score.test.ts'),
    "import { loadScript } from 'scoring-server/testing';\nimport assert from 'node:assert';\nimport test from 'node:test';\ntest('runs', async () => assert.equal(await (await loadScript(new URL('score.ts', import.meta.url))).run(1), 400));\n",
  );
  return path;
}

/** A test runner inside a test runner reports to it unless this variable is gone. */
const env = { ...process.env, NODE_TEST_CONTEXT: undefined };
/** A synchronous call keeps the time limit of the test from coming to pass. */
const LIMIT = { encoding: 'utf8', env, timeout: 60_000 } as const;

test("an author's own project tests its script with the package linked, or with nothing but --import", () => {
  const linked = project();
  mkdirSync(join(linked, 'node_modules'));
  symlinkSync(ROOT, join(linked, 'node_modules', 'scoring-server'));
  assert.match(execFileSync(process.execPath, ['--test', '--test-reporter=tap'], { cwd: linked, ...LIMIT }), /# pass 1/);
  const bare = project();
  const register = join(ROOT, 'server', 'worker', 'register.ts');
  assert.match(
    execFileSync(process.execPath, ['--import', register, '--test', '--test-reporter=tap'], { cwd: bare, ...LIMIT }),
    /# pass 1/,
  );
});
