import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { GrpcClient, write as writeMessage } from '../grpc/client.ts';
import { memory, noProc } from '../set-up/processes.ts';
import { freePort } from './free-port.ts';
import { withServer, type ServerProcess } from './start-server.ts';

const MB = 1024 * 1024;
const SIZE = 100 * MB;
/** Of the size, that a body or a reply may cost the host at its peak. */
const LARGEST_COST = 2.5;
/** What may stay, or come with more of them: code that was compiled meanwhile. */
const SLACK_MB = 40;
/**
 * Bytes of each request that may reach the old generation; it was 1,600 and more while functions
 * were stored in fields (in-flight.ts, exchange.ts).
 */
const LARGEST_PROMOTION = 500;
const WINDOW = 512;
/** Until a garbage collection has come by, on a slow machine too. */
const LONGEST_WAIT_MS = 60_000;

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
  return (await server.metric('nodejs_external_memory_bytes')) / MB;
}

async function cost(server: ServerProcess, large: () => Promise<void>, small: () => Promise<unknown>): Promise<void> {
  const { pid } = server;
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

test('a body of 100 MB costs the host at most 2.5 times its size, and nothing afterwards', { skip: noProc }, () =>
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

test('a gRPC message of 100 MB costs the host at most 2.5 times its size, and nothing afterwards', { skip: noProc }, async () => {
  const port = await freePort();
  await withServer(['--entry-script', 'counts-elements.ts', '--grpc-port', String(port)], async (server) => {
    await server.ready();
    const grpc = new GrpcClient(port);
    const message = (bytes: number): Buffer =>
      writeMessage('ModelInferRequest', {
        model_name: 'counts-elements',
        inputs: [{ name: 'x', datatype: 'UINT8', shape: [bytes] }],
        raw_input_contents: [Buffer.alloc(bytes, 1)],
      });
    // The limit counts the whole message.
    const elements = SIZE - 1024;
    const [large, small] = [message(elements), message(1000)];
    try {
      await cost(
        server,
        async () => {
          const answer = await grpc.call('ModelInfer', large);
          const [count] = answer.message['raw_output_contents'] as [Buffer];
          assert.equal(count.readBigInt64LE(), BigInt(elements));
        },
        () => grpc.call('ModelInfer', small),
      );
    } finally {
      grpc.close();
    }
  });
});

test('a reply of 100 MB costs the host at most 2.5 times its size, and nothing afterwards', { skip: noProc }, () =>
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

test('the garbage of a request is gone with the next scavenges: nothing of it is promoted', () =>
  withServer(
    ['--model', fileURLToPath(new URL('../../entry-scripts/diabetes.onnx', import.meta.url))],
    async (server) => {
      await server.ready();
      const url = await server.url('/score');
      const agent = new Agent({ keepAlive: true, maxSockets: 32 });
      const body = JSON.stringify({ data: [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]] });
      const score = (): Promise<void> =>
        new Promise((resolve, reject) => {
          const sent = request(url, { method: 'POST', agent, headers: { 'content-type': 'application/json' } }, (response) => {
            response.resume().once('end', resolve).once('error', reject);
          });
          sent.once('error', reject).end(body);
        });
      const many = async (requests: number): Promise<void> => {
        const client = async (): Promise<void> => {
          for (let sent = 0; sent < requests / 32; sent++) await score();
        };
        await Promise.all(Array.from({ length: 32 }, client));
      };
      const old = (): Promise<number> => server.metric('nodejs_heap_space_size_used_bytes{space="old"}');
      await many(4000);
      const promoted: number[] = [];
      // A full collection spoils one of them, not the median.
      for (let window = 0; window < 9; window++) {
        const before = await old();
        await many(WINDOW);
        promoted.push(((await old()) - before) / WINDOW);
      }
      agent.destroy();
      const median = promoted.toSorted((a, b) => a - b)[4]!;
      assert.ok(median <= LARGEST_PROMOTION, `${Math.round(median)} bytes of each request were promoted`);
    },
    { env: { ACCESS_LOG: 'false', NODE_OPTIONS: '--max-semi-space-size=2' } },
  ));
