import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import test from 'node:test';
import { withServer, type ServerProcess } from '../e2e/start-server.ts';

const MB = 2 ** 20;
const linux = process.platform === 'linux' ? false : 'needs /proc';

/** Megabytes. */
function memory(pid: number | undefined, field: 'VmRSS' | 'VmHWM'): number {
  return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

/** Asks for a large answer, and does not read it. */
async function ask(server: ServerProcess, bytes: number): Promise<Socket> {
  const socket = connect(Number(new URL(await server.url()).port), '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  const body = JSON.stringify({ bytes });
  socket.pause();
  socket.write(`POST /score HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  return socket;
}

test('clients that do not read their answers cost the host its limit, and no other client its answers', { skip: linux }, () =>
  withServer(
    ['--entry-script', 'large-reply.ts'],
    async (server) => {
      await server.ready();
      const small = async (): Promise<number> => (await (await server.score({ bytes: 10 })).bytes()).length;
      assert.equal(await small(), 10);
      const [limit, answer, clients] = [64, 16, 30];
      const before = memory(server.child.pid, 'VmRSS');
      writeFileSync(`/proc/${server.child.pid}/clear_refs`, '5');
      const sockets: Socket[] = [];
      try {
        for (let client = 0; client < clients; client++) sockets.push(await ask(server, answer * MB));
        for (let request = 0; request < 40; request++) assert.equal(await small(), 10);
        await server.said('clients that do not read their answers are cut off');
        const peak = memory(server.child.pid, 'VmHWM') - before;
        // One answer is on its way when there is no room any more, and what was let go is not collected at once.
        const bound = 2 * (limit + answer) + 40;
        assert.ok(peak <= bound, `the host took ${peak.toFixed(0)} MB for answers, expected ${bound} at most`);
        assert.equal(server.lines.filter(({ msg }) => msg.includes('worker ended') || msg.includes('replaced')).length, 0);
      } finally {
        for (const socket of sockets) socket.destroy();
      }
      assert.equal(await small(), 10);
    },
    { env: { ANSWERS_MAX_BYTES: '64M', CANCEL_GRACE_MS: '200', SCORING_TIMEOUT_MS: '30000' } },
  ),
);
