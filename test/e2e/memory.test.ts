import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import test from 'node:test';
import { withServer, type ServerProcess } from './start-server.ts';

const MB = 1024 * 1024;
const SIZE = 100 * MB;
/** Of the size, that a body or a reply may cost the host at its peak. */
const LARGEST_COST = 2.5;
/** What may stay, or come with more of them: code that was compiled meanwhile. */
const SLACK_MB = 40;
const LONGEST_WAIT_MS = 15_000;

const linux = process.platform === 'linux' ? false : 'needs /proc';

function memory(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

/** Sends a body in pieces, reads the answer without keeping it, and tells its status and length. */
async function exchange(server: ServerProcess, size: number, piece: Buffer, contentType: string): Promise<[number | undefined, number]> {
  const url = await server.url('/score');
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', headers: { 'content-type': contentType, 'content-length': size } });
    sent.once('error', reject);
    sent.once('response', (response) => {
      let bytes = 0;
      response.on('data', (chunk: Buffer) => (bytes += chunk.length));
      response.once('end', () => resolve([response.statusCode, bytes]));
      response.once('error', reject);
    });
    let left = size;
    const write = (): void => {
      while (left > 0) {
        const next = piece.subarray(0, Math.min(piece.length, left));
        left -= next.length;
        if (!sent.write(next)) return void sent.once('drain', write);
      }
      sent.end();
    };
    write();
  });
}

/** Megabytes of buffers that the host's JavaScript still holds, reachable or not yet collected. */
async function held(server: ServerProcess): Promise<number> {
  const metrics = await (await fetch(await server.url('/metrics'))).text();
  return Number(/^nodejs_external_memory_bytes (\S+)$/m.exec(metrics)?.[1]) / MB;
}

async function cost(server: ServerProcess, large: () => Promise<void>, small: () => Promise<unknown>): Promise<void> {
  const pid = server.child.pid!;
  for (let warm = 0; warm < 3; warm++) await small();
  const [baseline, before] = [memory(pid, 'VmRSS'), await held(server)];
  for (let round = 0; round < 3; round++) {
    // Starts the high-water mark anew.
    writeFileSync(`/proc/${pid}/clear_refs`, '5');
    await large();
    const peak = memory(pid, 'VmHWM') - baseline;
    assert.ok(peak <= LARGEST_COST * (SIZE / MB), `round ${round}: the host took ${peak.toFixed(0)} MB for ${SIZE / MB} MB`);
    let rest = Number.POSITIVE_INFINITY;
    for (const end = performance.now() + LONGEST_WAIT_MS; rest > SLACK_MB && performance.now() < end;) {
      await small();
      rest = (await held(server)) - before;
    }
    assert.ok(rest <= SLACK_MB, `round ${round}: ${rest.toFixed(0)} MB of buffers are still held`);
  }
}

test('a body of 100 MB costs the host at most 2.5 times its size, and nothing afterwards', { skip: linux }, () =>
  withServer(['--entry-script', 'counts-bytes.ts'], async (server) => {
    await server.ready();
    const piece = Buffer.alloc(64 * 1024, 1);
    const send = (size: number) => exchange(server, size, piece, 'application/octet-stream');
    await cost(
      server,
      async () => assert.equal((await send(SIZE))[0], 200),
      () => send(1000),
    );
  }),
);

test('a reply of 100 MB costs the host at most 2.5 times its size, and nothing afterwards', { skip: linux }, () =>
  withServer(['--entry-script', 'large-reply.ts'], async (server) => {
    await server.ready();
    const ask = (bytes: number) => {
      const body = Buffer.from(JSON.stringify({ bytes }));
      return exchange(server, body.length, body, 'application/json');
    };
    await cost(
      server,
      async () => assert.deepEqual(await ask(SIZE), [200, SIZE]),
      () => ask(1000),
    );
  }),
);
