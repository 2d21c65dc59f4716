import { status } from '@grpc/grpc-js';
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import test from 'node:test';
import { deflateRawSync, gzipSync } from 'node:zlib';
import { write } from '../grpc/client.ts';
import { framed, INFER, RawCall, withSession } from '../grpc/raw.ts';
import { freePort } from './free-port.ts';
import { type ServerProcess, withServer } from './start-server.ts';

const LIMIT = 12 * 1024 * 1024;
const env = { BODY_LIMIT_BYTES: String(LIMIT), QUEUE_MAX_BYTES: String(LIMIT) };
// Its compressed form is as long, so that both are held at a time.
const body = randomBytes(LIMIT);

/** Sends a body in pieces, and gives the status and the text of the answer. */
async function post(server: ServerProcess, headers: Record<string, string>, bytes: Buffer, piece: number): Promise<[number, string]> {
  const { promise, resolve, reject } = Promise.withResolvers<[number, string]>();
  const call = request(await server.url('/score'), { method: 'POST', headers: { 'content-type': 'application/octet-stream', ...headers } });
  call.on('error', reject).on('response', (answer) => {
    let text = '';
    answer.setEncoding('utf8').on('data', (part: string) => (text += part));
    answer.on('end', () => resolve([answer.statusCode ?? 0, text]));
  });
  for (let at = 0; at < bytes.length; at += piece) call.write(bytes.subarray(at, at + piece));
  call.end();
  return promise;
}

test('an idle server takes the largest body, in whatever form it comes', () =>
  withServer(
    ['--entry-script', 'counts-bytes.ts'],
    async (server) => {
      await server.ready();
      const whole = { 'content-length': String(LIMIT) };
      const done: [number, string] = [200, `{"bytes":${LIMIT}}`];
      assert.deepEqual(await post(server, whole, body, LIMIT), done);
      assert.deepEqual(await post(server, {}, body, 10_000), done);
      assert.deepEqual(await post(server, { 'content-encoding': 'gzip' }, gzipSync(body, { level: 1 }), 100_000), done);
      assert.deepEqual(await post(server, { 'content-encoding': 'gzip' }, gzipSync(Buffer.alloc(LIMIT)), 1000), done);
      assert.deepEqual(await post(server, { 'content-encoding': 'deflate' }, deflateRawSync(body), LIMIT), done);
      assert.equal((await post(server, {}, Buffer.concat([body, Buffer.alloc(1)]), LIMIT))[0], 413);
    },
    { env },
  ));

test('an idle server takes the largest message of gRPC, compressed too', async () => {
  const port = await freePort();
  await withServer(
    ['--entry-script', 'counts-elements.ts', '--grpc-port', String(port)],
    async (server) => {
      await server.ready();
      await server.said('listening for gRPC');
      // gzip adds some bytes to what it cannot compress.
      const elements = LIMIT - 8192;
      const inputs = [{ name: 'x', datatype: 'UINT8', shape: [elements] }];
      const message = write('ModelInferRequest', {
        model_name: 'counts-elements',
        inputs,
        raw_input_contents: [body.subarray(0, elements)],
      });
      assert.ok(message.length <= LIMIT && message.length > LIMIT - 10_000);
      await withSession(port, async (session) => {
        const call = (headers: Record<string, string>): RawCall => new RawCall(session, INFER, headers);
        const plain = await call({}).finish(framed(message));
        assert.deepEqual([plain.status, plain.text], [status.OK, '']);
        const zipped = gzipSync(message, { level: 1 });
        assert.ok(zipped.length <= LIMIT, `${zipped.length} bytes`);
        const compressed = await call({ 'grpc-encoding': 'gzip' }).finish(framed(zipped, { compressed: true }));
        assert.deepEqual([compressed.status, compressed.text], [status.OK, '']);
      });
    },
    { env },
  );
});

test('a body limit above the room for bodies ends the start with exit code 2', () =>
  withServer(
    [],
    async (server) => {
      assert.deepEqual(await server.exited, { code: 2, signal: null });
      assert.match(server.stderr, /BODY_LIMIT_BYTES: expected at most QUEUE_MAX_BYTES/);
    },
    { env: { ...env, QUEUE_MAX_BYTES: String(LIMIT - 1) } },
  ));
