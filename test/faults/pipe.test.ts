import assert from 'node:assert/strict';
import test from 'node:test';
import { withServer } from '../e2e/start-server.ts';

test('bytes on fd 3 that are no frames end their worker at once: its requests get 503, and it is replaced', () =>
  withServer(['--entry-script', 'breaks-pipe.ts'], async (server) => {
    await server.ready();
    const broken = (): number => server.linesWith('broke the protocol of its pipe').length;
    for (const [at, how] of ['a length of 4 GiB', 'a child', 'metrics with null'].entries()) {
      assert.equal((await server.score(how)).status, 503, how);
      assert.equal(await (await server.score('fine')).json(), 'fine', how);
      // The log comes by another way than the answers.
      await server.line(() => broken() === at + 1);
    }
    assert.equal(await server.metric('worker_restarts_total{cause="protocol"}'), 3);
    await server.drain();
    assert.equal(broken(), 3);
  }));

test('a worker that breaks the protocol does not affect the others', () =>
  withServer(
    ['--entry-script', 'breaks-pipe.ts'],
    async (server) => {
      await server.ready();
      const statuses = await Promise.all(
        Array.from({ length: 40 }, async (_, at) => (await server.score(at === 5 ? 'a length of 4 GiB' : 'fine')).status),
      );
      assert.equal(statuses[5], 503);
      assert.ok(statuses.filter((status) => status === 200).length >= 20, statuses.join(' '));
    },
    { env: { WORKER_COUNT: '2' } },
  ));

test('a header that HTTP cannot carry is a 500 of its script, also where the answer would be compressed', () =>
  withServer(['--entry-script', 'odd-answers.ts'], async (server) => {
    await server.ready();
    for (const headers of [{ 'accept-encoding': 'gzip' }, { 'accept-encoding': 'identity' }]) {
      assert.equal((await server.score('control character', headers)).status, 500);
      assert.match((await server.line(({ code }) => code === 'result_not_http')).msg, /the header x-a with the character U\+0001/);
    }
    assert.equal(await (await server.score('fine')).json(), 'fine');
  }));

test('a stream that fails just after its first chunk hangs no client, and each failure is logged as the fault of its script', () =>
  withServer(['--entry-script', 'odd-answers.ts'], async (server) => {
    await server.ready();
    const outcomes: string[] = [];
    const one = async (): Promise<void> => {
      const response = await server.score('fails after its first chunk');
      outcomes.push(
        await response.text().then(
          () => String(response.status),
          () => 'broken off',
        ),
      );
    };
    for (let round = 0; round < 10; round++) await Promise.all(Array.from({ length: 16 }, one));
    assert.deepEqual(new Set(outcomes).difference(new Set(['500', 'broken off'])), new Set());
    assert.equal(outcomes.length, 160);
    assert.equal(await (await server.score('fine')).json(), 'fine');
    const failed = (): number => server.lines.filter(({ code }) => code === 'run_failed').length;
    await server.line(() => failed() >= 160);
    await server.drain();
    assert.equal(failed(), 160);
  }));
