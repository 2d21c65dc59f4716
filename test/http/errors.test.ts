import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { parseKeys } from '../../server/config/access-keys.ts';
import { failures, ServerError, type ErrorCode } from '../../server/errors.ts';
import { freePort } from '../e2e/free-port.ts';
import { tokenSetUp } from '../set-up/token-issuer.ts';
import { open, parse, raw, until } from './raw-client.ts';
import { start } from './start.ts';

interface Answer {
  status: number;
  headers: Record<string, string>;
  body: string;
}
type Provoke = (t: TestContext) => Promise<Answer>;

const post = (head: string, body = ''): string => `POST /score HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${head}\r\n${body}`;
const sends =
  (text: string, changes: Parameters<typeof start>[1] = {}): Provoke =>
  async (t) =>
    parse(await raw((await start(t, changes)).port, text));

/** The scorer rejects, or refuses to admit. */
const scorerSays =
  (code: ErrorCode, how: 'reply' | 'admit' = 'reply'): Provoke =>
  async (t) => {
    const { port, scorer } = await start(t);
    const error = new ServerError(code, `the message of ${code}`, { cause: new Error('a secret of the script') });
    if (how === 'admit') scorer.refuseAdmit = error;
    else scorer.outcome = () => error;
    return parse(await raw(port, post('Content-Length: 2\r\n', '{}')));
  };

/** One way to get every failure that has a status. */
const cases = {
  bad_request: sends('this is not HTTP\r\n\r\n'),
  bad_json: scorerSays('bad_json'),
  bad_text: scorerSays('bad_text'),
  bad_encoding: sends(post('Content-Encoding: gzip\r\nContent-Length: 4\r\n', 'nope')),
  invalid_input: scorerSays('invalid_input'),
  input_refused: scorerSays('input_refused'),
  unauthorized: sends(post('Content-Length: 2\r\n', '{}'), { scoringKeys: parseKeys('a-key-of-16-chars') }),
  async forbidden(t) {
    const { changes, token } = tokenSetUp(t);
    return sends(post(`Authorization: Bearer ${token}\r\nContent-Length: 2\r\n`, '{}'), {
      ...changes,
      jwtClaims: [{ name: 'a', values: ['b'] }],
    })(t);
  },
  not_found: sends('GET /none HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'),
  model_unknown: scorerSays('model_unknown'),
  swagger_version: sends('GET /swagger.json?version=9 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'),
  method_not_allowed: sends('DELETE /score HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'),
  async request_timeout(t) {
    const { app, port } = await start(t);
    app.server.on('connection', (socket) => {
      const error = Object.assign(new Error('Request timeout'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' });
      socket.once('data', () => app.server.emit('clientError', error, socket));
    });
    return parse(await raw(port, 'GET / HT'));
  },
  body_too_large: sends(post('Content-Length: 11\r\n', '01234567890'), { bodyLimitBytes: 10 }),
  unsupported_encoding: sends(post('Content-Encoding: br\r\nContent-Length: 2\r\n', '{}')),
  unsupported_content_type: scorerSays('unsupported_content_type'),
  queue_full: scorerSays('queue_full', 'admit'),
  async rate_limited(t) {
    const { http, port } = await start(t, { rateLimitPerSecond: 1 });
    await http.post('/score').send({});
    return parse(await raw(port, post('Content-Length: 2\r\n', '{}')));
  },
  id_too_long: sends(post(`x-request-id: ${'x'.repeat(101)}\r\nContent-Length: 2\r\n`, '{}')),
  headers_too_large: sends(post(`big: ${'x'.repeat(17 * 1024)}\r\nContent-Length: 2\r\n`, '{}')),
  async client_gone(t) {
    const { port, scorer, line } = await start(t);
    scorer.outcome = () => new Promise(() => undefined);
    const scored = scorer.called('score');
    const socket = await open(port);
    socket.write(post('Content-Length: 2\r\n', '{}'));
    await scored;
    const cancelled = scorer.called('cancel');
    socket.destroy();
    await cancelled;
    const logged = await line((entry) => entry.msg === 'request');
    return { status: logged['status'] as number, headers: {}, body: '' };
  },
  run_failed: scorerSays('run_failed'),
  model_failed: scorerSays('model_failed'),
  result_not_json: scorerSays('result_not_json'),
  answer_too_large: scorerSays('answer_too_large'),
  result_not_http: scorerSays('result_not_http'),
  internal: scorerSays('internal'),
  not_ready: scorerSays('not_ready', 'admit'),
  stopping: scorerSays('stopping', 'admit'),
  async keys_unavailable(t) {
    const { changes, token } = tokenSetUp(t);
    const nobody = { ...changes, jwtJwksFile: '', jwtJwksUrl: `http://127.0.0.1:${await freePort()}/` };
    return sends(post(`Authorization: Bearer ${token}\r\nContent-Length: 2\r\n`, '{}'), nobody)(t);
  },
  queue_timeout: scorerSays('queue_timeout'),
  worker_lost: scorerSays('worker_lost'),
  deadline_exceeded: scorerSays('deadline_exceeded'),
  async client_deadline(t) {
    const { port, scorer } = await start(t);
    scorer.outcome = () => new Promise(() => undefined);
    return parse(await raw(port, post('x-request-timeout-ms: 20\r\nContent-Length: 2\r\n', '{}')));
  },
} satisfies Partial<Record<ErrorCode, Provoke>>;

describe('every failure with a status', () => {
  for (const [code, failure] of Object.entries(failures)) {
    if (failure.status === undefined) continue;
    it(`${code} answers ${failure.status} by the table`, async (t) => {
      const provoke = (cases as Record<string, Provoke | undefined>)[code];
      assert.ok(provoke, `write a case for ${code} here`);
      const { status, headers, body } = await provoke(t);
      assert.equal(status, failure.status);
      if (code === 'client_gone') return;
      assert.equal(headers['content-type'], 'application/json');
      assert.equal(headers['x-ms-run-function-failed'], failure.runFailed === true ? 'True' : 'False');
      assert.equal(headers['retry-after'], failure.retryAfter?.toString());
      assert.equal(headers['x-ms-run-fn-exec-ms'], undefined);
      const { message, ...others } = JSON.parse(body) as Record<string, unknown>;
      assert.deepEqual(others, {});
      if (failure.clientMessage !== undefined) assert.equal(message, failure.clientMessage);
      assert.ok(typeof message === 'string' && message !== '');
      assert.doesNotMatch(body, /secret|\bat \//);
      if (code !== 'id_too_long') assert.ok(headers['x-request-id']);
    });
  }
});

describe('error answers', () => {
  it('say what the contract says', async (t) => {
    const { http, scorer } = await start(t);
    const notAllowed = { message: 'The method is not allowed for the requested URL.' };
    for (const method of ['put', 'delete', 'patch'] as const) {
      await http[method]('/score').expect(405, notAllowed).expect('Allow', 'GET, POST, OPTIONS');
    }
    await http.post('/').expect(405, notAllowed).expect('Allow', 'GET, HEAD, OPTIONS');
    const notFound = { message: failures.not_found.clientMessage };
    for (const path of ['/none', '/score/', '/Score', '/swagger.json/', '/%zz', `/${'x'.repeat(4000)}`]) {
      await http.get(path).expect(404, notFound);
    }
    await http.post('/none').set('Content-Type', 'not a type').send('x').expect(404, notFound);
    scorer.outcome = () => new ServerError('deadline_exceeded', 'Scoring timeout after 60000 ms');
    await http.post('/score').send({}).expect(504, { message: 'Scoring timeout after 60000 ms' });
  });

  it('name the encodings that are taken', async (t) => {
    const { http, scorer } = await start(t);
    await http.post('/score').set('Content-Encoding', 'br').send('x').expect(415).expect('Accept-Encoding', 'gzip, deflate');
    assert.deepEqual(scorer.calls, []);
    scorer.outcome = () => new ServerError('unsupported_content_type', 'Expects Content-Type to be application/json');
    const { headers } = await http.post('/score').send('x').expect(415, { message: 'Expects Content-Type to be application/json' });
    assert.equal(headers['accept-encoding'], undefined);
  });

  it('turn anything thrown into the fixed text, and log it with ids', async (t) => {
    const { http, scorer, line } = await start(t);
    scorer.outcome = () => {
      throw new TypeError('a secret of ours');
    };
    const { body } = await http.post('/score').set('x-request-id', 'mine').send({}).expect(500);
    assert.deepEqual(body, { message: failures.internal.clientMessage });
    const logged = await line((entry) => entry.level === 'error');
    assert.equal(logged['requestId'], 'mine');
    assert.match(logged['traceId'] as string, /^[0-9a-f]{32}$/);
    assert.match(JSON.stringify(logged['err']), /a secret of ours.*errors\.test\.ts/);
  });

  it('never tell a client about a failure that has no status', async (t) => {
    const { http, scorer } = await start(t);
    scorer.outcome = () => new ServerError('model_refused', 'a secret path');
    await http.post('/score').send({}).expect(500, { message: failures.internal.clientMessage! });
  });

  it('log by fault, refusals at most once a second', async (t) => {
    const { http, scorer, lines, line } = await start(t);
    scorer.outcome = () => new ServerError('bad_json', 'bad');
    await http.post('/score').send({}).expect(400);
    assert.equal((await line((entry) => entry['code'] === 'bad_json')).level, 'debug');
    scorer.refuseAdmit = new ServerError('queue_full', 'full');
    const began = performance.now();
    for (let i = 0; i < 5; i++) await http.post('/score').send({}).expect(429).expect('Retry-After', '1');
    const levels = lines.filter((entry) => entry['code'] === 'queue_full').map((entry) => entry.level);
    const most = 1 + Math.floor((performance.now() - began) / 1000);
    assert.ok(levels.length >= 1 && levels.length <= most, levels.join());
    assert.deepEqual(new Set(levels), new Set(['warn']));
  });
});

describe('malformed HTTP', () => {
  it('is answered in JSON when Host is missing, and leaves the connection usable', async (t) => {
    const { port } = await start(t);
    const socket = await open(port);
    socket.write('GET / HTTP/1.1\r\n\r\n');
    const first = parse(await until(socket, '{"message": "The Host header is missing"}'));
    assert.equal(first.status, 400);
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    assert.equal(parse(await until(socket, 'Healthy')).status, 200);
    socket.destroy();
  });

  it('in the middle of a chunked body is answered with the ids of the request', async (t) => {
    const { port, scorer } = await start(t);
    const { status, headers, body } = parse(
      await raw(port, post('x-request-id: mine\r\nTransfer-Encoding: chunked\r\n', '2\r\n{}\r\nzz\r\n')),
    );
    assert.equal(status, 400);
    assert.equal(headers['x-request-id'], 'mine');
    assert.deepEqual(JSON.parse(body), { message: 'The request is not valid HTTP' });
    assert.equal(scorer.reserved, 0);
  });

  it('behind a request that is being scored does not disturb its answer', async (t) => {
    const { port, scorer } = await start(t);
    const outcome = Promise.withResolvers<object>();
    scorer.outcome = () => outcome.promise;
    const scored = scorer.called('score');
    const socket = await open(port);
    socket.write('POST /score HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}garbage here\r\n\r\n');
    await scored;
    outcome.resolve({});
    assert.match(await until(socket, '{"ok":true}'), /^HTTP\/1\.1 200 OK/);
    socket.destroy();
  });

  it('CONNECT is answered', async (t) => {
    const { port } = await start(t);
    assert.equal(parse(await raw(port, 'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n')).status, 405);
  });
});
