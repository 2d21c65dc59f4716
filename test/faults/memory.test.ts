import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import test from 'node:test';
import { noCgroup, withMemory } from '../e2e/memory-cgroup.ts';
import { withServer, type ServerProcess } from '../e2e/start-server.ts';
import { writeModel } from '../models/models.ts';
import { folder } from '../set-up/folder.ts';
import { memory, noProc } from '../set-up/processes.ts';

const MB = 2 ** 20;

/** Asks for a large answer, and does not read it. */
async function ask(server: ServerProcess, bytes: number): Promise<Socket> {
  const socket = connect(await server.port(), '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  const body = JSON.stringify({ bytes });
  socket.pause();
  socket.write(`POST /score HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  return socket;
}

test(
  'clients that do not read their answers take no more memory of the host than its limit, and no answer of others',
  { skip: noProc },
  () =>
    withServer(
      ['--entry-script', 'large-reply.ts'],
      async (server) => {
        await server.ready();
        const small = async (): Promise<number> => (await (await server.score({ bytes: 10 })).bytes()).length;
        assert.equal(await small(), 10);
        const [limit, answer, clients] = [64, 16, 20];
        const before = memory(server.pid, 'VmRSS');
        writeFileSync(`/proc/${server.pid}/clear_refs`, '5');
        const sockets: Socket[] = [];
        try {
          for (let client = 0; client < clients; client++) sockets.push(await ask(server, answer * MB));
          for (let request = 0; request < 40; request++) assert.equal(await small(), 10);
          await server.said('clients that do not read their answers are cut off');
          const peak = memory(server.pid, 'VmHWM') - before;
          // One answer is on its way when there is no room any more, and what was let go is not
          // collected at once.
          const bound = 2 * (limit + answer) + 40;
          assert.ok(peak <= bound, `the host took ${peak.toFixed(0)} MB for answers, expected ${bound} at most`);
          assert.equal(server.lines.filter(({ msg }) => msg.includes('worker ended') || msg.includes('replaced')).length, 0);
        } finally {
          for (const socket of sockets) socket.destroy();
        }
        assert.equal(await small(), 10);
      },
      { env: { ANSWERS_MAX_BYTES: '64M', CANCEL_GRACE_MS: '200', SCORING_TIMEOUT_MS: '120000' } },
    ),
);

/** The first answer that is no refusal: a lost worker is replaced. */
async function served(server: ServerProcess, data: unknown): Promise<unknown> {
  for (;;) {
    const answer = await server.score(data);
    if (answer.status === 200) return answer.json();
    assert.equal(answer.status, 503, await answer.text());
    await server.line(({ msg }) => msg === 'worker ready');
  }
}

/** How often a worker was replaced, by cause. */
async function restarts(server: ServerProcess): Promise<string[]> {
  return (await server.metrics()).split('\n').filter((line) => /restarts.*cause=/.test(line) && !line.endsWith(' 0'));
}

test('a tensor of any size ends a worker at most, never the host', { skip: noProc || noCgroup }, async () => {
  await withMemory(768 * MB, (prelude) =>
    withServer(
      ['--model', writeModel('constant_of_shape', folder())],
      async (server) => {
        await server.ready();
        for (const shape of [
          [65_536, 65_536],
          [16_384, 16_384],
        ]) {
          const large = await server.score({ inputs: { shape } });
          assert.ok([500, 503].includes(large.status), `${large.status}: ${(await large.text()).slice(0, 200)}`);
          assert.deepEqual(await served(server, { inputs: { shape: [1, 2] } }), { outputs: { y: [[0, 0]] } });
        }
        assert.equal(server.child.exitCode, null);
      },
      { prelude },
    ),
  );
});

test(
  'a script that keeps memory, outside the heap or in it, is replaced before the kernel kills, again and again',
  { skip: noProc || noCgroup },
  () =>
    withMemory(768 * MB, (prelude) =>
      withServer(
        ['--entry-script', 'leaks.ts'],
        async (server) => {
          await server.ready();
          const leak = async (data: object): Promise<void> => {
            for (let status = 200; status === 200;) {
              const answer = await server.score(data);
              status = answer.status;
              await answer.text();
              assert.ok([200, 503].includes(status), String(status));
            }
            await served(server, {});
          };
          await leak({ buffers: 64 });
          const said = await server.said('a worker is killed and replaced');
          assert.match(said.msg, /it takes \d+ MiB of memory; all workers together take \d+ MiB, and 672 MiB .*WORKER_MEMORY_BYTES/);
          await leak({ buffers: 64 });
          await leak({ heap: 64 });
          // One that holds no request when it is killed costs nobody a 503, so there may be more of
          // them than of those.
          const killed = server.linesWith('a worker is killed and replaced').length;
          assert.ok(killed >= 2, String(killed));
          const counted = await restarts(server);
          assert.ok(counted.includes(`worker_restarts_total{cause="memory"} ${killed}`), `${killed} killed, ${counted.join()}`);
          assert.equal(server.child.exitCode, null);
        },
        { prelude },
      ),
    ),
);

test('an init() that takes too much memory fails the start, and the log reports why', { skip: noProc }, () =>
  withServer(
    ['--entry-script', 'leaks.ts', '--worker-count', '2'],
    async (server) => {
      assert.deepEqual(await server.exited, { code: 3, signal: null });
      const { msg } = await server.line(({ level }) => level === 'fatal');
      assert.match(msg, /too much memory before init\(\) was done.*it takes \d+ MiB of memory; a worker may take 150 MiB/);
    },
    { env: { WORKER_MEMORY_BYTES: '150M', LEAK_AT_INIT: '400' } },
  ),
);

test('the kernel kills a worker before the host', { skip: noProc }, () =>
  withServer(['--entry-script', 'echo.ts'], async (server) => {
    await server.ready();
    const adjusted = (pid: number): number => Number(readFileSync(`/proc/${pid}/oom_score_adj`, 'utf8'));
    assert.equal(adjusted(server.workers[0]!), Math.min(1000, adjusted(server.pid) + 500));
  }),
);
