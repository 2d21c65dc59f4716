import assert from 'node:assert/strict';
import test from 'node:test';
import { withServer } from '../e2e/start-server.ts';

test('bytes on fd 3 that are no frames cost the worker whose they are, at once: what it held gets 503, and it is replaced', () =>
  withServer(['--entry-script', 'breaks-pipe.ts'], async (server) => {
    await server.ready();
    for (const how of ['a length of 4 GiB', 'a child', 'metrics with null']) {
      const before = server.lines.length;
      assert.equal((await server.score(how)).status, 503, how);
      assert.equal(server.lines.slice(before).filter(({ msg }) => msg.includes('broke the protocol of its pipe')).length, 1, how);
      assert.equal(await (await server.score('fine')).json(), 'fine', how);
    }
    const metrics = await (await fetch(await server.url('/metrics'))).text();
    assert.match(metrics, /worker_restarts_total\{cause="protocol"\} 3/);
  }));

test('a worker that breaks the protocol costs the others nothing', () =>
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
