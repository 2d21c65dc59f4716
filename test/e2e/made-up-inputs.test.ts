import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { writeModel } from '../models/models.ts';
import { folder } from '../set-up/folder.ts';
import { SCRIPTS, withServer, type ServerProcess } from './start-server.ts';

const ROW = { X: [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]] };
const WARNING = 'on made-up inputs, before any request';
const REPORTED = fileURLToPath(new URL('../../../shared/fixtures/reported/', import.meta.url));
const skip = existsSync(REPORTED) ? false : 'needs ../shared/fixtures/reported';

/** What each worker decided about merging, and why: the last line of each. */
function verdicts({ lines }: ServerProcess): string[] {
  const told = lines.filter(({ msg }) => msg.includes('concurrent calls are'));
  const last = new Map(told.map(({ worker, batching, reason }) => [worker, `${String(batching)}: ${String(reason)}`]));
  return Array.from(last.values());
}

interface Death {
  readonly dies: string;
  readonly says: RegExp;
  readonly env?: Record<string, string>;
}

const deaths: readonly Death[] = [
  { dies: 'abort', says: /^model ridge ended the worker by signal SIGABRT on made-up inputs/ },
  { dies: 'exit', says: /^model ridge ended the worker with exit code 7 on made-up inputs/ },
  { dies: 'memory', says: /^model ridge took too much memory on made-up inputs/, env: { WORKER_MEMORY_BYTES: String(600 * 2 ** 20) } },
];

for (const { dies, says, env } of deaths) {
  for (const [workers, once] of [
    [1, false],
    [3, false],
    [3, true],
  ] as const) {
    const who = once ? 'the first of 3 workers' : workers === 1 ? 'a worker' : 'each of 3 workers';
    test(`${who} that ends on made-up inputs (${dies}) starts again without them, and requests are served`, () =>
      withServer(
        ['--entry-script', join(SCRIPTS, 'dies-before-requests.ts'), '--worker-count', String(workers)],
        async (server) => {
          await server.ready();
          const [warning, ...others] = server.linesWith(WARNING);
          assert.match(String(warning?.msg), says);
          assert.deepEqual([warning?.['level'], others], ['warn', []]);
          const [verdict = '', ...same] = verdicts(server);
          assert.match(verdict, /^false: /);
          assert.deepEqual(same, Array(workers - 1).fill(verdict));
          assert.equal((await server.score(ROW)).status, 200);
          assert.equal(await server.metric('worker_restarts_total{cause="init"}'), 0);
        },
        {
          env: {
            DIES: dies,
            MODEL_FILE: writeModel('ridge', folder()),

            ...env,
            ...(once && { DIES_ONCE: join(folder(), 'died') }),
          },
        },
      ));
  }
}

test('a model that refuses made-up inputs is served without a warning', () =>
  withServer(
    ['--entry-script', join(SCRIPTS, 'dies-before-requests.ts')],
    async (server) => {
      await server.ready();
      assert.deepEqual(server.linesWith(WARNING), []);
      assert.equal((await server.score(ROW)).status, 200);
    },
    { env: { DIES: 'throws', MODEL_FILE: writeModel('ridge', folder()) } },
  ));

test('with WARM_UP=off nothing runs before the first request, and calls are not merged', () =>
  withServer(
    ['--entry-script', join(SCRIPTS, 'dies-before-requests.ts')],
    async (server) => {
      await server.ready();
      assert.deepEqual([server.linesWith(WARNING), server.workers.length], [[], 1]);
      assert.equal((await server.score(ROW)).status, 200);
    },
    { env: { DIES: 'abort', WARM_UP: 'off', MODEL_FILE: writeModel('ridge', folder()) } },
  ));

for (const workers of [1, 2])
  test(`a public imputer that crashes ONNX Runtime on complete rows is served by ${workers} workers, and imputes`, { skip }, () =>
    withServer(['--model', join(REPORTED, 'skl_knnimputer.onnx'), '--worker-count', String(workers)], async (server) => {
      await server.ready();
      const warnings = server.lines.filter(({ level }) => level === 'warn');
      assert.equal(warnings.length, 1);
      assert.match(String(warnings[0]?.msg), /^model skl_knnimputer ended the worker by signal SIGFPE on made-up inputs/);
      assert.doesNotMatch(JSON.stringify(server.lines), /entry script/);
      const answer = await server.score({ data: [['NaN', 1, 2, 3]] });
      const [row] = (await answer.json()) as number[][];
      assert.deepEqual([answer.status, row?.slice(1)], [200, [1, 2, 3]]);
      assert.ok(Number.isFinite(row?.[0]));
      const metadata = await fetch(await server.url('/v2/models/skl_knnimputer'));
      const { properties } = (await metadata.json()) as { properties: Record<string, string> };
      assert.match(String(properties['batching']), /^not merged: /);
    }),
  );
