import assert from 'node:assert/strict';
import test from 'node:test';
import { freePort } from './free-port.ts';
import { withServer } from './start-server.ts';

const CLOSED = String(await freePort());

test('clients read nothing of an error or its causes, which the log has with their request', () =>
  withServer(
    ['--entry-script', 'fails-with-causes.ts'],
    async (server) => {
      await server.ready();
      for (const [way, status] of [
        ['run', 500],
        ['several', 500],
        ['before a stream', 500],
        ['scoring error', 502],
      ] as const) {
        const answer = await server.score(way, { 'x-request-id': `id of ${way}` });
        const said = JSON.stringify([...answer.headers]) + (await answer.text());
        assert.equal(answer.status, status);
        assert.doesNotMatch(said, /fetch|ECONN|secret|cause|\bat /);
        const { msg } = await server.line((line) => line['requestId'] === `id of ${way}` && line.msg.includes('ECONNREFUSED'));
        assert.match(msg, /fetch failed[\s\S]*\[cause\]: Error: connect ECONNREFUSED/);
      }
      await server.score('odd fields');
      const { err } = (await server.said('odd fields')) as unknown as { err: Record<string, string> };
      assert.deepEqual([err['type'], err['message']], ['TypeError', 'fetch failed']);
      assert.match(err['stack'] ?? '', /ECONNREFUSED/);
    },
    { env: { CLOSED } },
  ));

test('a failed start logs the chain of causes in its one line, and a person reads it line by line', async () => {
  const env = { CLOSED, FAILS_AT: 'init' };
  await withServer(
    ['--entry-script', 'fails-with-causes.ts', '--log-format', 'pretty'],
    async (server) => {
      // Its lines are no JSON.
      let text = '';
      server.child.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()));
      assert.equal((await server.exited).code, 3);
      assert.match(text, /User's init function failed: .*TypeError: fetch failed \{\n +\[cause\]: Error: connect ECONNREFUSED.*\n +at /);
    },
    { env, log: 'unread' },
  );
});
