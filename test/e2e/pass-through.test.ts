import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { brotliCompressSync, deflateSync, gunzipSync, gzipSync } from 'node:zlib';
import { ServerProcess } from './start-server.ts';

const TEXT = JSON.stringify({ text: 'readable' });
const CODED = { gzip: gzipSync(TEXT), deflate: deflateSync(TEXT), br: brotliCompressSync(TEXT), identity: Buffer.from(TEXT) };

/** Answers by its path: a coding, or what it got as JSON. */
const upstream = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const coding = request.url?.slice(1) ?? '';
    const coded = (CODED as Record<string, Buffer>)[coding];
    const head = { 'content-type': 'application/json', 'keep-alive': 'timeout=7', 'x-hop': '1', connection: 'close, x-hop', 'x-up': 'yes' };
    if (coded === undefined)
      return response.writeHead(200, head).end(JSON.stringify({ headers: request.headers, body: Buffer.concat(chunks).toString() }));
    const encoding = coding === 'identity' ? {} : { 'content-encoding': coding };
    return response.writeHead(200, { ...head, ...encoding, 'content-length': coded.length, 'set-cookie': ['a=1', 'b=2'] }).end(coded);
  });
});

let server: ServerProcess;
let up: string;
before(async () => {
  await once(upstream.listen(0, '127.0.0.1'), 'listening');
  up = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  server = await new ServerProcess(['--entry-script', 'pass-through.ts']).ready();
});
after(async () => {
  await server.stop();
  upstream.closeAllConnections();
  upstream.close();
});

interface Got {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly json: { headers: IncomingHttpHeaders; body: string; message: string };
}

/** Sends a request as it is, and reads the answer as it is. */
async function send(
  how: string,
  path: string,
  headers: Record<string, string> = {},
  body?: Buffer | string,
  method = 'POST',
): Promise<Got> {
  const target = `/score?how=${encodeURIComponent(how)}&up=${encodeURIComponent(up + path)}`;
  const sent = httpRequest({ port: await server.port(), host: '127.0.0.1', method, path: target, headers, agent: false });
  sent.end(body);
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  const bytes = Buffer.concat((await answer.toArray()) as Buffer[]);
  return {
    status: answer.statusCode,
    headers: answer.headers,
    body: bytes,
    get json() {
      return JSON.parse(bytes.toString()) as Got['json'];
    },
  };
}

describe('a Response that is passed on', () => {
  for (const how of ['fetch', 'copied', 'of a package'])
    for (const coding of how === 'of a package' ? ['gzip', 'identity'] : Object.keys(CODED))
      it(`has headers that describe the body that is sent: ${how}, ${coding}`, async () => {
        const { status, headers, body } = await send(how, `/${coding}`);
        assert.deepEqual([status, body.toString(), headers['content-encoding'], headers['x-up']], [200, TEXT, undefined, 'yes']);
        assert.equal(Number(headers['content-length'] ?? body.length), body.length);
        for (const hop of ['keep-alive', 'x-hop']) assert.notEqual(headers[hop], hop === 'x-hop' ? '1' : 'timeout=7');
        assert.deepEqual(headers['set-cookie'], ['a=1', 'b=2']);
      });

  it('keeps the coding that its body has', async () => {
    for (const how of ['of a package, as it came', 'compressed', 'compressed as a stream']) {
      const { headers, body } = await send(how, '/gzip');
      assert.equal(headers['content-encoding'], 'gzip', how);
      assert.match(gunzipSync(body).toString(), /readable|made for http/);
    }
  });

  it('has no body for HEAD', async () => {
    for (const how of ['fetch', 'compressed']) {
      const { status, body } = await send(how, '/gzip', {}, undefined, 'HEAD');
      assert.deepEqual([status, body.length], [200, 0]);
    }
  });
});

describe('a Request that is passed on', () => {
  const sent = {
    'content-type': 'application/json',
    'x-mine': 'yes',
    'keep-alive': 'x',
    te: 'trailers',
    'x-hop': '1',
    connection: 'close, te, x-hop',
  };
  for (const how of ['forwarded', 'forwarded in a Request', 'forwarded by its headers'])
    for (const [form, headers, body] of [
      ['plain', { 'content-length': String(TEXT.length) }, TEXT],
      ['compressed', { 'content-encoding': 'gzip' }, CODED.gzip],
      ['chunked', { 'transfer-encoding': 'chunked' }, TEXT],
      ['chunked and compressed', { 'transfer-encoding': 'chunked', 'content-encoding': 'deflate' }, CODED.deflate],
      ['expected', { expect: '100-continue' }, TEXT],
    ] as const)
      it(`arrives with headers that describe its body: ${how}, ${form}`, async () => {
        const { status, json } = await send(how, '/', { ...sent, ...headers }, body);
        assert.equal(status, 200);
        assert.deepEqual([json.body, json.headers['x-mine'], json.headers['content-type']], [TEXT, 'yes', 'application/json']);
        assert.equal(json.headers['content-length'], String(TEXT.length));
        for (const gone of ['content-encoding', 'transfer-encoding', 'expect', 'te', 'x-hop', 'keep-alive'])
          assert.equal(json.headers[gone], undefined, gone);
      });

  it('shows the body that it has; the context shows what the client sent', async () => {
    const { body } = await send('headers', '/', { ...sent, 'content-encoding': 'gzip' }, CODED.gzip);
    const { own, context } = JSON.parse(body.toString()) as Record<'own' | 'context', Record<string, string>>;
    assert.deepEqual([own['content-length'], own['content-encoding'], own['x-hop']], [String(TEXT.length), undefined, undefined]);
    assert.deepEqual([context['content-encoding'], context['x-hop']], ['gzip', '1']);
    assert.match(own['host'] ?? '', /^127\.0\.0\.1/);
  });
});

describe('a body that cannot be read', () => {
  const json = { 'content-type': 'application/json' };
  const form = { 'content-type': 'multipart/form-data; boundary=b' };

  it('is the fault of its client, in words that help', async () => {
    for (const [how, headers, body, message] of [
      ['json', json, '{"a":}', /^POST body could not be decoded as JSON: .*: line 1 column 6 \(char 5\)$/],
      ['json of a clone', json, '{"a":}', /^POST body could not be decoded as JSON: .*: line 1 column 6 \(char 5\)$/],
      ['json', json, '', /^POST body is empty\. Expecting JSON\.$/],
      [
        'form',
        json,
        '{}',
        /^POST body could not be read as a form: expected the content type multipart\/form-data or .*, got application\/json$/,
      ],
      ['form', form, 'no parts', /^POST body could not be read as a form: expected parts between the boundary/],
    ] as const) {
      const got = await send(how, '/', headers, body);
      assert.equal(got.status, 400);
      assert.match(got.json.message, message);
    }
  });

  it('throws what any Request throws where the script catches it', async () => {
    const { status, body } = await send('caught', '/', json, '{');
    assert.deepEqual(
      [status, JSON.parse(body.toString())],
      [
        200,
        [
          [true, false, []],
          [false, true, []],
        ],
      ],
    );
  });

  it('is the fault of the script where the script is wrong', async () => {
    for (const how of ['read twice', 'form read twice', "the script's own"])
      assert.equal((await send(how, '/', json, '{}')).status, 500, how);
  });
});
