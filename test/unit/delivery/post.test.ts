import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import test, { type TestContext } from 'node:test';
import { Poster } from '../../../server/delivery/post.ts';
import { makeCertificate } from '../../e2e/certificate.ts';

async function listen(t: TestContext, server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void;
async function serve(t: TestContext, answer: Answer): Promise<string> {
  const server = createServer((request, response) => {
    // A body that breaks off gets no answer.
    text(request).then(
      (body) => answer(request, response, body),
      () => response.destroy(),
    );
  });
  return `http://${await listen(t, server)}`;
}

function secure(t: TestContext, listener: RequestListener): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'post-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const { key, certificate } = makeCertificate(folder);
  return listen(t, createSecureServer({ key: readFileSync(key), cert: readFileSync(certificate) }, listener));
}

const HEADERS = { 'content-type': 'application/x-json-stream' };
const post = (url: string, proxies: Record<string, string> = {}) =>
  new Poster(url, HEADERS, proxies, { longestMs: 300 }).post(Buffer.from('body'));

test('an answer has its status, its text and how long to wait, and connections are kept', async (t) => {
  const seen: unknown[] = [];
  const sockets = new Set<Socket>();
  const url = await serve(t, (request, response, body) => {
    sockets.add(request.socket);
    seen.push([request.method, request.url, request.headers['content-type'], request.headers['content-length'], body]);
    response.writeHead(429, { 'retry-after': '7' }).end('later');
  });
  const poster = new Poster(`${url}/v2.1/track`, HEADERS, {});
  for (let times = 0; times < 3; times++)
    assert.deepEqual(await poster.post(Buffer.from('body')), { status: 429, text: 'later', retryAfter: '7' });
  assert.deepEqual(
    seen,
    Array.from({ length: 3 }, () => ['POST', '/v2.1/track', 'application/x-json-stream', '4', 'body']),
  );
  assert.equal(sockets.size, 1);
});

test('a redirect is followed with the body, and from then on the new address is asked', async (t) => {
  const asked: string[] = [];
  const url = await serve(t, (request, response, body) => {
    asked.push(`${request.url} ${body}`);
    if (request.url === '/old') response.writeHead(308, { location: '/new' }).end();
    else response.end('here');
  });
  const poster = new Poster(`${url}/old`, HEADERS, {});
  for (let times = 0; times < 2; times++)
    assert.deepEqual(await poster.post(Buffer.from('body')), { status: 200, text: 'here', retryAfter: undefined });
  assert.deepEqual(asked, ['/old body', '/new body', '/new body']);
});

test('a redirect that may not be followed is an answer, and no header goes to its target', async (t) => {
  const asked: string[] = [];
  const url = await serve(t, (request, response) => {
    asked.push(request.url ?? '');
    response.writeHead(308, { location: '/elsewhere' }).end();
  });
  const poster = new Poster(`${url}/here`, {}, {}, { redirects: 0 });
  assert.deepEqual(await poster.post(Buffer.from('body'), { headers: { 'x-key': 'k' } }), { status: 308, text: '', retryAfter: undefined });
  assert.deepEqual(asked, ['/here']);
});

test('of an answer without an end, a megabyte is read', async (t) => {
  const url = await serve(t, (_request, response) => {
    const more = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536, 'x')));
    };
    response.writeHead(200).on('drain', more);
    more();
  });
  const result = await post(url);
  assert.ok('text' in result && result.status === 200);
  assert.ok(result.text.length >= 2 ** 20 && result.text.length < 2 ** 21, String(result.text.length));
});

test('a call ends with the signal of its owner, and a header that cannot be sent is told by its code', async (t) => {
  const url = await serve(t, () => undefined);
  const poster = new Poster(url, {}, {});
  const stop = new AbortController();
  const hung = poster.post(Buffer.from('body'), { signal: stop.signal });
  stop.abort();
  const ended = await hung;
  assert.ok('error' in ended && ended.code === 'ABORT_ERR', JSON.stringify(ended));
  const wrong = await poster.post(Buffer.from('body'), { headers: { 'x-a': '\u2603' } });
  assert.ok('error' in wrong && wrong.code === 'ERR_INVALID_CHAR' && !wrong.sent);
  poster.close();
});

test('redirects without an end are an error', async (t) => {
  const url = await serve(t, (_request, response) => response.writeHead(307, { location: '/' }).end());
  assert.deepEqual(await post(url), { error: `more than 10 redirects, the last to ${url}/`, code: 'ERR_TOO_MANY_REDIRECTS', sent: false });
});

test('whether a server may have got the body is told: not when it cannot be reached or trusted, but when it hangs or breaks off', async (t) => {
  const free = await serve(t, () => undefined);
  const refusing = createServer();
  const address = await listen(t, refusing);
  refusing.close();
  const [refused, untrusted, hung, broken] = await Promise.all([
    post(`http://${address}`),
    post(`https://${await secure(t, () => undefined)}`),
    post(free),
    post(await serve(t, (_request, response) => response.destroy())),
  ]);
  const told = [refused, untrusted, hung, broken].map((result) => ('error' in result ? [result.error.split(':')[0], result.sent] : result));
  assert.deepEqual(told, [
    ['ECONNREFUSED', false],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', false],
    ['no answer within 300 ms', true],
    ['ECONNRESET', true],
  ]);
});

test('a proxy is asked for a tunnel, unless the address needs none', async (t) => {
  const target = await secure(t, (_request, response) => response.end());
  const tunnels: (string | undefined)[] = [];
  const proxy = createServer();
  proxy.on('connect', (request, socket: Socket) => {
    tunnels.push(request.url);
    const [host = '', port] = (request.url ?? '').split(':');
    const upstream = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.pipe(socket).pipe(upstream);
    });
    for (const end of [socket, upstream]) end.on('error', () => undefined);
    t.after(() => [socket, upstream].forEach((end) => end.destroy()));
  });
  const https_proxy = `http://${await listen(t, proxy)}`;
  // A client that trusts no certificate fails only after it has got one.
  const expected = /^DEPTH_ZERO_SELF_SIGNED_CERT/;
  const results = [
    await post(`https://${target}`, { https_proxy }),
    await post(`https://${target}`, { https_proxy, no_proxy: '127.0.0.1' }),
  ];
  for (const result of results) {
    assert.ok('error' in result);
    assert.match(result.error, expected);
    assert.equal(result.sent, false);
  }
  assert.deepEqual(tunnels, [target]);
});
