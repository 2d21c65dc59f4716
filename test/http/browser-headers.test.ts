import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import { request } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { describe, it } from 'node:test';
import { ServerError } from '../../server/errors.ts';
import { appRoutes } from '../../server/http/app.ts';
import { metricsRoutes } from '../../server/http/metrics-route.ts';
import { folder } from '../set-up/folder.ts';
import { makePair } from '../set-up/tls-files.ts';
import { parse, raw } from './raw-client.ts';
import { config, start } from './start.ts';

type Headers = Readonly<Record<string, string>>;

const FRAMED_BY_NOBODY = /(?:^|; )frame-ancestors 'none'$/;
const TEXT = '<script>alert(1)</script>';

/** The routes of the server, with the paths that clients ask for. */
function routesOf({ scorer, lifecycle, metrics }: Awaited<ReturnType<typeof start>>): { path: string; cors: boolean }[] {
  const all = [
    ...appRoutes({ config: config({}), scorer, lifecycle, swaggerFiles: '/nowhere' }),
    ...metricsRoutes({ statusPage: true, metricsKeyRequired: false }, metrics),
  ];
  return all.map(({ path, cors }) => ({ path: path.replace(':model', 'model').replace(':version', '1').replace('*', 'none'), cors }));
}

/** What every answer of the server itself has. */
function expectOwn(headers: Headers, place: string, policy = 'same-origin'): void {
  assert.equal(headers['x-content-type-options'], 'nosniff', place);
  assert.equal(headers['cache-control'], 'no-store', place);
  assert.equal(headers['cross-origin-resource-policy'], policy === '' ? undefined : policy, place);
  assert.equal(headers['strict-transport-security'], undefined, place);
  if (headers['content-type']?.startsWith('text/html') === true) {
    assert.match(headers['content-security-policy'] ?? '', /^default-src 'none'; /, place);
    assert.match(headers['content-security-policy'] ?? '', FRAMED_BY_NOBODY, place);
    assert.equal(headers['referrer-policy'], 'no-referrer', place);
  } else assert.match(headers['content-type'] ?? '', /^(?:application\/json$|text\/(?:plain|css|javascript); )/, place);
}

describe('Headers for browsers', () => {
  it('are on every answer of every route that the server itself makes', async (t) => {
    const started = await start(t, { statusPage: true });
    const { http, scorer } = started;
    scorer.outcome = () => new ServerError('worker_lost', TEXT);
    const all = routesOf(started);
    assert.ok(all.length > 20);
    for (const { path } of all) {
      for (const method of ['get', 'head', 'options', 'put', 'patch', 'delete'] as const) {
        const { headers } = await http[method](path);
        expectOwn(headers, `${method} ${path}`);
      }
    }
  });

  it('are on errors before a route: unknown paths and methods, bad HTTP, too many headers', async (t) => {
    const { http, port } = await start(t);
    for (const path of ['/none', '/score/', '/%zz', `/${encodeURIComponent(TEXT)}`]) {
      const { headers, text } = await http.get(path);
      expectOwn(headers, path);
      assert.ok(!text.includes(TEXT));
    }
    for (const [status, head] of [
      [400, 'NOT HTTP'],
      [400, 'GET / HTTP/9.9'],
      [400, `GET /${TEXT} HTTP/1.1\r\nHost : x`],
      [431, `GET / HTTP/1.1\r\nHost: x\r\na: ${'a'.repeat(20_000)}`],
      [405, 'CONNECT a.example:443 HTTP/1.1\r\nHost: x'],
      [405, 'PROPFIND / HTTP/1.1\r\nHost: x\r\nConnection: close'],
      [400, 'GET / HTTP/1.1\r\nConnection: close'],
    ] as const) {
      const answer = parse(await raw(port, `${head}\r\n\r\n`));
      assert.equal(answer.status, status, head);
      expectOwn(answer.headers, head);
    }
  });

  it('are on the answers of a server that is not ready', async (t) => {
    const { http, lifecycle } = await start(t);
    lifecycle.to('draining');
    for (const path of ['/', '/health/ready', '/v2/health/ready']) expectOwn((await http.get(path).expect(503)).headers, path);
  });

  it('give an error that quotes a client as JSON, which no browser sniffs', async (t) => {
    const { http } = await start(t);
    const { headers, text } = await http.get(`/v2/models/${encodeURIComponent(TEXT)}`).expect(404);
    assert.ok(text.includes(TEXT));
    assert.deepEqual([headers['content-type'], headers['x-content-type-options']], ['application/json', 'nosniff']);
  });

  it('leave a scoring answer to its script, but for nosniff', async (t) => {
    const { http, scorer } = await start(t);
    for (const headers of [[], [['Content-Type', 'text/html']], [['content-type', 'application/json']]] as [string, string][][]) {
      scorer.outcome = () => ({ headers });
      const { headers: answer } = await http.post('/score').send({});
      assert.equal(answer['x-content-type-options'], 'nosniff');
      for (const name of ['cache-control', 'content-security-policy', 'cross-origin-resource-policy', 'referrer-policy'])
        assert.ok(!(name in answer), name);
    }
  });

  for (const [name, value] of [
    ['X-Content-Type-Options', 'nosniff'],
    ['x-content-type-options', 'none'],
    ['X-CONTENT-TYPE-OPTIONS', ''],
  ] as const)
    it(`take ${name} of a script in place of their own: ${value || 'nothing'}`, async (t) => {
      const { http, scorer } = await start(t);
      scorer.outcome = () => ({
        headers: [
          ['Cache-Control', 'max-age=9'],
          [name, value],
        ],
      });
      const { headers } = await http.post('/score').send({});
      assert.deepEqual([headers['x-content-type-options'], headers['cache-control']], [value, 'max-age=9']);
    });

  it('let the origins of AML_CORS_ORIGINS embed what they may read, and nothing else', async (t) => {
    const started = await start(t, { corsOrigins: ['https://a.example'], statusPage: true });
    const { http } = started;
    for (const { path, cors } of routesOf(started)) {
      for (const method of ['options', 'put'] as const)
        expectOwn((await http[method](path)).headers, `${method} ${path}`, cors ? '' : 'same-origin');
    }
    expectOwn((await http.get('/none')).headers, '/none');
  });

  it('ask for HTTPS on every answer over TLS, and never on the plain health port', async (t) => {
    const { certificate, key } = makePair(folder(), 'server');
    const { listening } = await start(t, { tlsCertFile: certificate, tlsKeyFile: key });
    const [secure = 0, plain = 0] = listening.ports;
    for (const [method, path] of [
      ['GET', '/livez'],
      ['POST', '/score'],
      ['GET', '/none'],
    ] as const) {
      const asked = request({ host: '127.0.0.1', port: secure, path, method, ca: readFileSync(certificate), agent: false }).end();
      const [{ headers }] = (await once(asked, 'response')) as [IncomingMessage];
      assert.equal(headers['strict-transport-security'], 'max-age=31536000', path);
      asked.destroy();
      expectOwn(parse(await raw(plain, `${method} ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)).headers, path);
    }
  });
});
