import assert from 'node:assert/strict';
import test from 'node:test';
import { withWorkers, Workers } from './start-workers.ts';

const kinds = [
  'a proxy whose traps throw',
  'a proxy of an error whose traps throw',
  'a revoked proxy',
  'a getter as stack',
  'a getter as message',
  'a getter as name',
  'a symbol as message',
  'a bigint as stack',
  'a list as stack',
  'an object without a prototype',
  'a getter as tag',
  'a tag of a Response',
  'a cyclic cause',
  'a huge message',
  'a huge object',
  'a symbol',
  'a bigint',
  'nothing',
  'a function',
];

test('whatever run(), an iterator or a promise throws is answered at once, and the worker lives', () =>
  withWorkers('throws-anything.ts', async (workers) => {
    for (const kind of kinds) {
      for (const at of ['run', 'iterator']) {
        const thrown = (await workers.score({ at, kind }).catch((error: unknown) => error)) as Error & { code: string };
        assert.equal(thrown.code, 'run_failed', `${at}: ${kind}`);
        assert.ok(thrown.message.length > 3 && thrown.message.length < 20_000, `${at}: ${kind}: ${thrown.message.slice(0, 100)}`);
      }
      assert.equal((await workers.score({ at: 'rejection', kind })).json, 'rejected', kind);
      await workers.score({ at: 'result', kind }).catch((error: { code: string }) => assert.match(error.code, /run_failed|result_not/));
    }
    await workers.lineWith('unhandled rejection in the entry script');
    assert.equal(workers.pids.length, 1);
  }));

test('whatever a timer throws ends its worker at once, and the log says what it was', () =>
  withWorkers('throws-anything.ts', async (workers) => {
    for (const kind of ['a proxy whose traps throw', 'a symbol as message', 'a revoked proxy']) {
      await assert.rejects(workers.score({ at: 'timer', kind }), { code: 'worker_lost', message: /exit code 1/ });
      assert.equal((await workers.score('fine')).json, 'fine');
    }
    assert.equal(workers.lines.filter(({ msg }) => String(msg).includes('uncaught exception in the entry script')).length, 3);
  }));

for (const place of ['import', 'init', 'sample']) {
  test(`whatever is thrown at ${place} ends the start at once`, async () => {
    const all = ['a proxy whose traps throw', 'a getter as stack', 'a symbol as message', 'a revoked proxy', 'a huge message'];
    await Promise.all(
      all.map(async (kind) => {
        const workers = new Workers('throws-anything.ts', { env: { THROWS_AT: place, THROWS: kind } });
        try {
          const error = await workers.failure;
          assert.equal(error.code, place === 'import' ? 'script_broken' : 'init_failed', `${kind}: ${error.message}`);
          assert.match(error.message, place === 'sample' ? /failed on the sample/ : /exception/);
        } finally {
          await workers.stop();
        }
      }),
    );
  });
}
