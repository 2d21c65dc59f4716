import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import test, { type TestContext } from 'node:test';
import { folder } from '../set-up/folder.ts';
import { until } from '../set-up/until.ts';
import { breakOf, withWorkers, type Workers } from './start-workers.ts';

const WITH_UPSTREAM = [
  'fetch',
  'new Response',
  'a thrown Response',
  'a bare stream',
  'pipeThrough',
  'a Readable',
  'a Readable of a stream',
  'a Response of a package',
  'a generator',
];
const ALL = [...WITH_UPSTREAM, 'a generator that waits for ever'];

/** Nothing but the end of the client ends a source. */
const WITHOUT_DEADLINE = { limits: { scoringTimeoutMs: 0 } };

interface Upstream {
  readonly url: string;
  /** Requests so far, and those whose connection is open. */
  readonly seen: { requests: number; open: number };
}

/** A server whose answers never end: a head, and a chunk where the query asks for it. */
async function upstream(t: TestContext): Promise<Upstream> {
  const seen = { requests: 0, open: 0 };
  const server = createServer((request, response) => {
    seen.requests++;
    seen.open++;
    request.socket.once('close', () => seen.open--);
    response.writeHead(200, { 'content-type': 'text/event-stream', connection: 'close' });
    response.flushHeaders();
    if (request.url === '/?first') response.write('first');
  }).listen(0, '127.0.0.1');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, seen };
}

/** Asserts that every source has ended, and that its worker lives on. */
async function assertLetGo(workers: Workers, { seen }: Upstream, file: string): Promise<void> {
  await workers.scorer.idle();
  assert.deepEqual(readFileSync(file, 'utf8').trim().split('\n').toSorted(), ALL.map((how) => `aborted ${how}`).toSorted());
  await until(() => seen.open === 0);
  assert.equal(seen.requests, WITH_UPSTREAM.length);
  assert.equal(workers.pids.length, 1);
  assert.deepEqual(
    workers.lines.filter(({ msg }) => /unhandled|uncaught|cancel/.test(String(msg))),
    [],
  );
  assert.equal(workers.scorer.load.credits, 32);
}

test('a client that leaves a stream ends its source at once', async (t) => {
  const up = await upstream(t);
  const file = join(folder(), 'events');
  await withWorkers(
    'upstreams.ts',
    async (workers) => {
      const bodies = await Promise.all(
        ALL.map(async (how) => (await workers.begin({ how, url: `${up.url}?first`, file }).reply).body as Readable),
      );
      await Promise.all(bodies.map((body) => once(body, 'readable')));
      assert.equal(up.seen.open, WITH_UPSTREAM.length);
      for (const body of bodies) body.destroy();
      await assertLetGo(workers, up, file);
    },
    WITHOUT_DEADLINE,
  );
});

test('a client that leaves before the first chunk ends the source at once', async (t) => {
  const up = await upstream(t);
  const file = join(folder(), 'events');
  await withWorkers(
    'upstreams.ts',
    async (workers) => {
      const scorings = ALL.map((how) => workers.begin({ how, url: up.url, file }));
      const gone = scorings.map(({ reply }) => assert.rejects(reply, { code: 'client_gone' }));
      await until(() => up.seen.open === WITH_UPSTREAM.length);
      for (const scoring of scorings) scoring.cancel();
      await Promise.all(gone);
      await assertLetGo(workers, up, file);
    },
    WITHOUT_DEADLINE,
  );
});

test('the deadline before the first chunk ends the source at once', async (t) => {
  const up = await upstream(t);
  const file = join(folder(), 'events');
  await withWorkers(
    'upstreams.ts',
    async (workers) => {
      const late = ALL.map((how) => assert.rejects(workers.score({ how, url: up.url, file }), { code: 'deadline_exceeded' }, how));
      await Promise.all(late);
      await assertLetGo(workers, up, file);
    },
    { limits: { scoringTimeoutMs: 2000 } },
  );
});

test('a gap longer than the idle limit ends the source at once, and is the fault of the script', async (t) => {
  const up = await upstream(t);
  const file = join(folder(), 'events');
  await withWorkers(
    'upstreams.ts',
    async (workers) => {
      const broken = ALL.map(async (how) => {
        const error = await breakOf(workers.begin({ how, url: `${up.url}?first`, file }));
        assert.deepEqual([error.code, /idle for 300 ms/.test(error.message)], ['deadline_exceeded', true]);
      });
      await Promise.all(broken);
      await assertLetGo(workers, up, file);
    },
    { limits: { streamIdleTimeoutMs: 300 } },
  );
});

test('a reader that takes nothing for too long ends the source, and counts as gone', () =>
  withWorkers(
    'stream-endless.ts',
    async (workers) => {
      const progress = join(folder(), 'progress');
      const { body } = await workers.begin({ progress }).reply;
      assert.ok(body instanceof Readable);
      const [error] = (await once(body, 'error')) as [{ code: string }];
      assert.equal(error.code, 'client_gone');
      await workers.scorer.idle();
      assert.ok(existsSync(progress) && readFileSync(progress, 'utf8').startsWith('ended after'));
      assert.equal(workers.pids.length, 1);
    },
    { limits: { streamIdleTimeoutMs: 300 } },
  ));

test('a stream whose run() spins is still ended with its worker', () =>
  withWorkers(
    'stream-spins.ts',
    async (workers) => {
      const error = await breakOf(workers.begin(1));
      assert.equal(error.code, 'deadline_exceeded');
      await workers.lineWith('is killed and replaced');
      assert.equal((await workers.score(0)).text, '0');
    },
    { limits: { streamIdleTimeoutMs: 300, cancelGraceMs: 300 } },
  ));

for (const how of ['late Response', 'late stream', 'late Readable'])
  test(`what run() returns after its client has left is ended unread: ${how}`, () =>
    withWorkers(
      'answers-late.ts',
      async (workers) => {
        const file = join(folder(), 'events');
        const scoring = workers.begin({ how, file });
        await until(() => existsSync(file));
        scoring.cancel();
        await assert.rejects(scoring.reply, { code: 'client_gone' });
        await workers.scorer.idle();
        assert.equal(readFileSync(file, 'utf8'), `running\n${how} ended\n`);
        assert.equal(workers.pids.length, 1);
      },
      WITHOUT_DEADLINE,
    ));

test('the body of a Response that is refused is ended', () =>
  withWorkers('answers-late.ts', async (workers) => {
    const file = join(folder(), 'events');
    await assert.rejects(workers.score({ how: 'refused', file }), { code: 'result_not_http' });
    assert.equal(readFileSync(file, 'utf8'), 'refused ended\n');
  }));

test('what run() answers to its sample is ended, because nobody reads it', () =>
  withWorkers('sample-streams.ts', async (workers) => {
    await workers.lineWith('the stream of a Response ended');
    const scoring = workers.begin({ how: 'a stream' });
    scoring.cancel();
    await assert.rejects(scoring.reply, { code: 'client_gone' });
    await workers.scorer.idle();
  }));
