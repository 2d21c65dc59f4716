import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Caller } from '../../server/access/access.ts';
import { parseKeys } from '../../server/config/access-keys.ts';
import { failures, ServerError } from '../../server/errors.ts';
import { freePort } from '../e2e/free-port.ts';
import { served } from './fake-scorer.ts';
import { open, parse, raw, rest, until } from './raw-client.ts';
import { start } from './start.ts';

const KEY = 'S3cretMark+/S3cretMark==';
const OTHER = 'another-key-of-this-server';
const keys = { scoringKeys: parseKeys(`web:${KEY},batch:${OTHER}`) };
const MESSAGE = failures.unauthorized.clientMessage;
const BEARER = 'Bearer realm="scoring-server"';
const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

/** Routes that score or describe. */
const CLOSED = ['/score', '/swagger.json', '/v2', '/v2/models', '/v2/models/wine', '/v2/models/wine/infer', '/none', '/v2/none', '/%zz'];
const PROBES = ['/', '/health/live', '/health/ready', '/livez', '/readyz', '/v2/health/live', '/v2/health/ready', '/v2/models/wine/ready'];

describe('a server with keys', () => {
  it('takes each key in each header, and names the key in the access log', async (t) => {
    const { http, scorer, lines, line } = await start(t, keys);
    for (const headers of [
      { authorization: `Bearer ${KEY}` },
      { authorization: `bearer  ${KEY}` },
      { 'api-key': OTHER },
      { 'x-api-key': KEY },
      { authorization: `Bearer ${KEY}`, 'api-key': KEY },
    ])
      await http.post('/score').set(headers).send({}).expect(200);
    assert.equal(scorer.requests.length, 5);
    await line(() => lines.filter(({ msg }) => msg === 'request').length === 5);
    assert.deepEqual(
      lines.filter(({ msg }) => msg === 'request').map(({ key }) => key),
      ['web', 'web', 'batch', 'web', 'web'],
    );
  });

  it('answers a missing, a wrong and a malformed key alike', async (t) => {
    const { http, scorer } = await start(t, keys);
    const bodies = new Set<string>();
    for (const headers of [
      {},
      { authorization: `Bearer ${KEY}x` },
      { authorization: `Bearer ${KEY.slice(1)}` },
      { authorization: KEY },
      { authorization: `Token ${KEY}` },
      { authorization: basic(`me:${KEY}`) },
      { 'api-key': `web:${KEY}` },
      { 'api-key': KEY, 'x-api-key': OTHER },
      { cookie: `api-key=${KEY}` },
    ]) {
      const answer = await http.post('/score').query({ 'api-key': KEY }).set(headers).send({}).expect(401);
      assert.equal(answer.headers['www-authenticate'], BEARER);
      assert.equal(answer.headers['content-type'], 'application/json');
      bodies.add(answer.text);
    }
    assert.deepEqual(Array.from(bodies), [`{"message": ${JSON.stringify(MESSAGE)}}`]);
    assert.deepEqual(scorer.calls, []);
  });

  it('refuses two headers with different keys, in any order, because a proxy may have checked the other one', async (t) => {
    const { port, scorer } = await start(t, keys);
    const [right, wrong] = [KEY, `${KEY}x`];
    for (const form of ['Authorization: Bearer ', 'api-key: ', 'X-Api-Key: '])
      for (const [first, second, status] of [
        [right, wrong, 401],
        [wrong, right, 401],
        [right, OTHER, 401],
        [right, right, 200],
      ] as const) {
        const text = await raw(port, `GET /score HTTP/1.1\r\nHost: x\r\n${form}${first}\r\n${form}${second}\r\nConnection: close\r\n\r\n`);
        assert.equal(parse(text).status, status, form);
      }
    assert.equal(scorer.requests.length, 3);
  });

  it('gives scripts no key that stands beside the one that counts, in a form of its own', async (t) => {
    const { port, scorer } = await start(t, keys);
    for (const value of [KEY, `Basic abc, Bearer ${KEY}`, `Bearer ${KEY}, Basic abc`])
      await raw(port, `GET /score HTTP/1.1\r\nHost: x\r\napi-key: ${KEY}\r\nAuthorization: ${value}\r\nConnection: close\r\n\r\n`);
    assert.doesNotMatch(JSON.stringify(scorer.requests.map(({ rawHeaders }) => rawHeaders)), /S3cretMark/);
  });

  for (const path of CLOSED)
    it(`asks every method for a key on ${path}`, async (t) => {
      const { port, scorer } = await start(t, { ...keys, modelName: 'wine' });
      for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND']) {
        const request = (header = ''): Promise<string> =>
          raw(port, `${method} ${path} HTTP/1.1\r\nHost: x\r\n${header}Connection: close\r\n\r\n`);
        const { status, headers, body } = parse(await request());
        assert.equal(status, 401, method);
        assert.equal(headers['www-authenticate'], BEARER);
        assert.equal(headers['allow'], undefined);
        if (method !== 'HEAD') assert.deepEqual(Object.values(JSON.parse(body) as object), [MESSAGE]);
        assert.notEqual(parse(await request(`api-key: ${KEY}\r\n`)).status, 401, method);
      }
      assert.ok(scorer.requests.every(({ rawHeaders }) => !rawHeaders.includes(KEY)));
    });

  it('asks for no key on probes, and by default on metrics', async (t) => {
    const { http } = await start(t, { ...keys, modelName: 'wine', statusPage: true });
    for (const path of [...PROBES, '/metrics', '/status', '/status/page.js'])
      for (const headers of [{}, { authorization: 'Bearer wrong' }]) await http.get(path).set(headers).expect(200);
  });

  it('refuses a request without Host only after its key', async (t) => {
    const { port } = await start(t, keys);
    const request = (header: string): Promise<string> => raw(port, `GET /score HTTP/1.1\r\nConnection: close\r\n${header}\r\n`);
    assert.equal(parse(await request('')).status, 401);
    assert.equal(parse(await request(`api-key: ${KEY}\r\n`)).status, 400);
  });

  it('holds on the health port', async (t) => {
    const { listening } = await start(t, { ...keys, separateHealthEndpoint: true });
    for (const port of listening.ports) {
      assert.equal(await statusOf(port, '/score'), 401);
      assert.equal(await statusOf(port, '/score', { 'x-api-key': KEY }), 200);
    }
  });
});

async function statusOf(port: number | undefined, path: string, headers = {}): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers });
  await answer.text();
  return answer.status;
}

describe('a refused request', () => {
  it('is not read: its connection stays usable after a short body, and ends after a long one', async (t) => {
    const { port, scorer } = await start(t, keys);
    const socket = await open(port);
    socket.write('POST /score HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}');
    const first = parse(await until(socket, '}'));
    assert.deepEqual([first.status, first.headers['connection']], [401, 'keep-alive']);
    socket.write(`POST /score HTTP/1.1\r\nHost: x\r\napi-key: ${KEY}\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}`);
    assert.equal(parse(await rest(socket)).status, 200);
    assert.deepEqual(
      scorer.calls.filter((call) => call.startsWith('admit')),
      ['admit 0'],
    );

    for (const head of ['Content-Length: 99999999', 'Transfer-Encoding: chunked']) {
      const long = await open(port);
      long.write(`POST /score HTTP/1.1\r\nHost: x\r\n${head}\r\n\r\n`);
      // The rest of the body never comes; the server lingers until the client ends.
      const answer = parse(await until(long, '}'));
      assert.deepEqual([answer.status, answer.headers['connection']], [401, 'close']);
      long.destroy();
    }
    assert.equal(scorer.reserved, 0);
  });

  it('that expects 100-continue is refused at once, and its connection ends', async (t) => {
    const { port } = await start(t, keys);
    const head = 'POST /score HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n';
    const answer = await raw(port, `${head}\r\n`);
    assert.match(answer, /^HTTP\/1\.1 401 /);
    assert.equal(parse(answer).headers['connection'], 'close');
    const socket = await open(port);
    socket.write(`${head}api-key: ${KEY}\r\nConnection: close\r\n\r\n`);
    assert.match(await until(socket, 'Continue\r\n\r\n'), /^HTTP\/1\.1 100 /);
    socket.write('{}');
    assert.equal(parse(await rest(socket)).status, 200);
  });

  it('is refused for its key before its ids, and is no load', async (t) => {
    const { http, metrics } = await start(t, keys);
    const long = (key: string) => http.post('/score').set('x-request-id', 'x'.repeat(101)).set('api-key', key).send({});
    await long('wrong').expect(401);
    await long(KEY).expect(431);
    const text = await metrics.registry.metrics();
    assert.match(text, /scoring_request_duration_seconds_count 1\n/);
    assert.match(text, /scoring_failures_total\{code="unauthorized"\} 1\n/);
  });

  it('in a pipeline does not disturb the ones around it', async (t) => {
    const { port } = await start(t, keys);
    const request = (header: string, last = false): string =>
      `POST /score HTTP/1.1\r\nHost: x\r\n${header}${last ? 'Connection: close\r\n' : ''}Content-Length: 2\r\n\r\n{}`;
    const answers = await raw(port, request(`api-key: ${KEY}\r\n`) + request('') + request(`api-key: ${OTHER}\r\n`, true));
    assert.deepEqual(
      Array.from(answers.matchAll(/HTTP\/1\.1 (\d+)/g), ([, status]) => status),
      ['200', '401', '200'],
    );
  });

  it('is logged without a name and counted by its status, and is no load', async (t) => {
    const { http, lines, line, metrics } = await start(t, keys);
    for (const key of ['', 'S3cretMark-wrong-key']) await http.post('/score').set('api-key', key).send({}).expect(401);
    await http.get('/none').expect(401);
    await line(() => lines.filter(({ msg }) => msg === 'request').length === 3);
    for (const logged of lines.filter(({ msg }) => msg === 'request'))
      assert.ok(logged['status'] === 401 && !('key' in logged) && !('token' in logged));
    assert.deepEqual(
      lines.filter(({ code }) => code === 'unauthorized').map(({ level, msg }) => `${level} ${msg}`),
      Array(3).fill('debug the request has no key or token that counts'),
    );
    const text = await metrics.registry.metrics();
    for (const sample of [
      'scoring_requests_total{route="/score",code="401"} 2',
      'scoring_requests_total{route="*",code="401"} 1',
      'scoring_failures_total{code="unauthorized"} 2',
      'scoring_request_duration_seconds_count 0',
      'scoring_queue_duration_seconds_count 0',
    ])
      assert.ok(text.includes(`${sample}\n`), sample);
    assert.doesNotMatch(JSON.stringify(lines) + text, /S3cretMark/);
  });
});

describe('a token that is verified', () => {
  const post = 'POST /score HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer t\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n';

  it('comes before the body is asked for', async (t) => {
    for (const verdict of ['good', 'bad', 'left'] as const) {
      const token = Promise.withResolvers<Caller>();
      const asked = Promise.withResolvers<void>();
      const check = (): Promise<Caller> => {
        asked.resolve();
        return token.promise;
      };
      const { port, scorer, line } = await start(t, {}, undefined, undefined, { keys: [], check });
      const socket = await open(port);
      let received = '';
      socket.on('data', (piece: Buffer) => (received += String(piece)));
      socket.write(post);
      await asked.promise;
      assert.deepEqual([scorer.calls, received], [[], '']);
      if (verdict === 'left') socket.destroy();
      if (verdict === 'good') {
        token.resolve({ kind: 'token', name: 'subject' });
        await until(socket, 'Continue');
        socket.write('{}');
      } else if (verdict === 'bad') token.reject(new ServerError('forbidden', 'lacks a claim'));
      const logged = await line(({ msg }) => msg === 'request');
      token.resolve({ kind: 'token', name: 'subject' });
      assert.equal(logged['status'], { good: 200, bad: 403, left: 499 }[verdict]);
      assert.equal(logged['token'], verdict === 'good' ? 'subject' : undefined);
      assert.equal(scorer.requests.length, verdict === 'good' ? 1 : 0);
      socket.destroy();
    }
  });
});

describe('a script', () => {
  const sent = { authorization: `Bearer ${KEY}`, 'Api-Key': KEY, 'X-API-KEY': KEY, 'x-tenant': 'a' };
  const names = (rawHeaders: readonly string[]): string[] =>
    rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());

  it('gets no credential of this server, and every other header', async (t) => {
    const { http, scorer } = await start(t, keys);
    await http.post('/score').set(sent).send({}).expect(200);
    await http.post('/v2/models/x/infer').set(sent).send({});
    for (const { rawHeaders } of scorer.requests) {
      assert.ok(!JSON.stringify(rawHeaders).includes('S3cretMark'));
      assert.ok(names(rawHeaders).includes('x-tenant') && names(rawHeaders).includes('content-type'));
    }
    await http.post('/score').set({ 'api-key': KEY, authorization: 'AWS4-HMAC-SHA256 its-own' }).send({}).expect(200);
    assert.ok(scorer.requests.at(-1)?.rawHeaders.includes('AWS4-HMAC-SHA256 its-own'));
  });

  it('gets them all where no key is asked for', async (t) => {
    const { http, scorer } = await start(t);
    await http.post('/score').set(sent).send({}).expect(200);
    const [request] = scorer.requests;
    assert.deepEqual(['authorization', 'api-key', 'x-api-key'].filter((name) => names(request?.rawHeaders ?? []).includes(name)).length, 3);
  });
});

describe('CORS with keys', () => {
  const A = 'https://a.example';
  const preflight = { origin: A, 'access-control-request-method': 'POST', 'access-control-request-headers': 'api-key' };
  const cors = { ...keys, corsOrigins: [A] };

  for (const rawHttp of [false, true])
    it(`a preflight needs no key${rawHttp ? ', and does not reach a script that speaks raw HTTP' : ''}`, async (t) => {
      const { http, scorer } = await start(t, cors);
      scorer.served = { ...served, rawHttp };
      for (const path of ['/score', '/swagger.json', '/v2', '/v2/models/x/infer']) {
        const { headers } = await http.options(path).set(preflight).expect(200, '');
        assert.equal(headers['access-control-allow-origin'], A);
        assert.equal(headers['access-control-allow-headers'], 'api-key');
      }
      assert.deepEqual(scorer.calls, []);
    });

  it('every other OPTIONS needs one, and reaches such a script', async (t) => {
    const { http, scorer } = await start(t, cors);
    scorer.served = { ...served, rawHttp: true };
    for (const headers of [{}, { origin: A }, { ...preflight, origin: 'https://b.example' }, { 'access-control-request-method': 'POST' }])
      await http.options('/score').set(headers).expect(401);
    await http.options('/none').set(preflight).expect(401);
    await http.options('/score').set({ origin: A, 'api-key': KEY }).expect(200);
    assert.equal(scorer.requests.length, 1);
  });

  it('a script that speaks raw HTTP gets preflights where no key is asked for', async (t) => {
    const { http, scorer } = await start(t, { corsOrigins: [A] });
    scorer.served = { ...served, rawHttp: true };
    await http.options('/score').set(preflight).expect(200);
    assert.equal(scorer.requests.length, 1);
  });

  it('a page can read a refusal', async (t) => {
    const { http } = await start(t, cors);
    await http.post('/score').set('origin', A).send({}).expect(401).expect('access-control-allow-origin', A);
    await http.get('/swagger.json').set('origin', A).expect(401).expect('access-control-allow-origin', A);
  });
});

describe('METRICS_KEY_REQUIRED', () => {
  const login = { ...keys, metricsKeyRequired: true, statusPage: true };

  it('lets a browser log in with a key as the password, and any user', async (t) => {
    const { http } = await start(t, login);
    for (const path of ['/metrics', '/status', '/status/page.js']) {
      const { headers, text } = await http.get(path).expect(401);
      assert.equal(headers['www-authenticate'], `${BEARER}, Basic realm="scoring-server", charset="UTF-8"`);
      assert.doesNotMatch(text, /scoring_requests_total|html/);
      await http
        .get(path)
        .set('authorization', basic(`:${KEY}`))
        .expect(200);
      await http
        .get(path)
        .set('authorization', basic(`somebody:${OTHER}`))
        .expect(200);
      await http.get(path).set('authorization', `Bearer ${KEY}`).expect(200);
      await http.get(path).set('api-key', KEY).expect(200);
      for (const wrong of [basic(`${KEY}:`), basic(KEY), basic('me:wrong'), 'Basic'])
        await http.get(path).set('authorization', wrong).expect(401);
    }
  });

  it('holds where metrics have a port of their own', async (t) => {
    const { listening } = await start(t, { ...login, metricsPort: await freePort() });
    const [, port] = listening.ports;
    for (const path of ['/metrics', '/status', '/none']) assert.equal(await statusOf(port, path), 401);
    assert.equal(await statusOf(port, '/metrics', { authorization: basic(`me:${KEY}`) }), 200);
  });

  it('does not make the browser ask for the requests of the page', async (t) => {
    const { http } = await start(t, login);
    await http.get('/metrics').set('accept', 'text/plain').expect(401).expect('www-authenticate', BEARER);
  });

  it('keeps passwords out of other routes', async (t) => {
    const { http, scorer } = await start(t, login);
    await http
      .post('/score')
      .set('authorization', basic(`me:${KEY}`))
      .send({})
      .expect(401)
      .expect('www-authenticate', BEARER);
    assert.deepEqual(scorer.calls, []);
  });

  it('keeps an OPTIONS without a key out, also with CORS', async (t) => {
    const { http } = await start(t, { ...login, corsOrigins: ['*'] });
    await http.options('/metrics').set({ origin: 'https://a.example', 'access-control-request-method': 'GET' }).expect(401);
  });
});

describe('swagger.json', () => {
  interface Document {
    security?: unknown;
    securityDefinitions?: object;
    components?: { securitySchemes: object };
    paths: Record<string, Record<string, { security?: unknown }>>;
  }
  const asked = [{ Bearer: [] }, { ApiKey: [] }];

  for (const version of ['2', '3', '3.1'])
    it(`${version} says what this server asks for where it asks`, async (t) => {
      const { http } = await start(t, keys);
      const document = (await http.get(`/swagger.json?version=${version}`).set('api-key', KEY).expect(200)).body as Document;
      const schemes = document.securityDefinitions ?? document.components?.securitySchemes;
      assert.deepEqual(Object.keys(schemes ?? {}), ['Bearer', 'ApiKey']);
      const { paths } = document;
      assert.deepEqual(
        [paths['/']?.['get']?.security, paths['/score']?.['post']?.security, paths['/swagger.json']?.['get']?.security],
        [[], asked, asked],
      );
      assert.deepEqual(document.security, version === '2' ? undefined : asked);
    });
});
