import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import { ServerError } from '../../server/errors.ts';
import { served } from './fake-scorer.ts';
import { open, parse, raw, until } from './raw-client.ts';
import { start } from './start.ts';

const REPLY = { 'x-ms-run-function-failed': 'False', 'x-ms-run-fn-exec-ms': '1.500' };

describe('POST /score', () => {
  it('hands over bytes, ids and content type, and answers with the headers of the contract', async (t) => {
    const { http, scorer } = await start(t);
    const { body, headers } = await http
      .post('/score?x=1')
      .set('Content-Type', 'text/csv')
      .set('x-ms-client-request-id', 'mine')
      .send('1,2')
      .expect(200);
    assert.deepEqual(body, { ok: true });
    assert.equal(headers['content-type'], 'application/json');
    assert.equal(headers['content-length'], '11');
    for (const [name, value] of Object.entries(REPLY)) assert.equal(headers[name], value);
    const request = scorer.requests[0]!;
    assert.equal(request.method, 'POST');
    assert.equal(request.url, '/score?x=1');
    assert.equal(request.contentType, 'text/csv');
    assert.equal(request.clientRequestId, 'mine');
    assert.equal(request.id, headers['x-request-id']);
    assert.ok(request.rawHeaders.includes('text/csv'));
    assert.equal(scorer.body, '1,2');
    assert.equal(request.bodyBytes, 3);
  });

  it('passes bytes unchanged whatever the content type', async (t) => {
    const { port, scorer } = await start(t);
    for (const type of ['application/x-www-form-urlencoded', 'multipart/form-data', 'application/json', 'not a type', '', undefined]) {
      const header = type === undefined ? '' : `Content-Type: ${type}\r\n`;
      const answer = await raw(port, `POST /score HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${header}Content-Length: 5\r\n\r\na=1&\xff`);
      assert.equal(parse(answer).status, 200, String(type));
      assert.deepEqual(Buffer.concat([...scorer.requests.at(-1)!.body]), Buffer.from('a=1&\xff', 'latin1'));
    }
  });

  it('takes an empty body', async (t) => {
    const { http, scorer } = await start(t);
    await http.post('/score').expect(200);
    assert.deepEqual(scorer.calls, ['admit 0', 'score 0']);
  });

  it('is found under //score, and not under another name', async (t) => {
    const { port, scorer } = await start(t);
    for (const [path, status] of [
      ['//score', 200],
      ['/score?', 200],
      ['/score/', 404],
      ['/SCORE', 404],
      ['http://x/score', 200],
    ] as const) {
      const answer = await raw(port, `POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}`);
      assert.equal(parse(answer).status, status, path);
    }
    assert.equal(scorer.requests.length, 3);
  });
});

describe('the reply of a script', () => {
  it('keeps its status, headers and bytes', async (t) => {
    const { http, scorer } = await start(t);
    scorer.outcome = () => ({
      status: 422,
      headers: [
        ['content-type', 'text/plain'],
        ['Set-Cookie', 'a=1'],
        ['set-cookie', 'b=2'],
        ['Expires', 'Wed, 21 Oct 2026 07:28:00 GMT'],
      ],
      body: Buffer.from('no'),
      runMs: 0.00001,
    });
    const { text, headers } = await http.post('/score').send({}).expect(422);
    assert.equal(text, 'no');
    assert.deepEqual(headers['set-cookie'], ['a=1', 'b=2']);
    assert.equal(headers['expires'], 'Wed, 21 Oct 2026 07:28:00 GMT');
    assert.equal(headers['x-ms-run-fn-exec-ms'], '0.000');
  });

  it('says True when the run failed', async (t) => {
    const { http, scorer } = await start(t);
    scorer.outcome = () => ({ status: 503, runFailed: true });
    await http.post('/score').send({}).expect(503).expect('x-ms-run-function-failed', 'True').expect('x-ms-run-fn-exec-ms', '1.500');
  });

  it("cannot set the server's own headers", async (t) => {
    const { port, scorer } = await start(t);
    const stolen = ['X-Request-Id', 'x-ms-request-id', 'x-ms-client-request-id', 'x-ms-server-version', 'X-Ms-Run-Fn-Exec-Ms', 'TraceId'];
    const broken = ['Connection', 'Keep-Alive', 'Transfer-Encoding', 'content-length', 'Trailer', 'Upgrade'];
    scorer.outcome = () => ({ headers: [...stolen, ...broken].map((name) => [name, '1'] as const) });
    const answer = await raw(port, 'POST /score HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}');
    assert.doesNotMatch(answer.split('\r\n\r\n')[0]!, /: 1$/m);
    assert.equal(parse(answer).body, '{"ok":true}');
  });

  it('may have headers whose names begin with x-ms-', async (t) => {
    const { http, scorer } = await start(t);
    scorer.outcome = () => ({
      headers: [
        ['x-ms-meta-model', 'iris'],
        ['X-MS-Run-Function-Failed-For', 'me'],
      ],
    });
    const { headers } = await http.post('/score').send('{}').expect(200);
    assert.deepEqual([headers['x-ms-meta-model'], headers['x-ms-run-function-failed-for']], ['iris', 'me']);
    for (const [name, value] of Object.entries(REPLY)) assert.equal(headers[name], value);
  });

  it('becomes a 500 when its status or its headers cannot be sent: those of workers are checked before', async (t) => {
    const { http, scorer, line } = await start(t);
    for (const status of [0, 99, 1000, 65_535]) {
      scorer.outcome = () => ({ status });
      await http.post('/score').send({}).expect(500);
    }
    await line(({ msg }) => msg.includes('65535'));
    for (const header of [
      ['bad name', '1'],
      ['name', 'line\r\nbreak'],
      ['name', '\u4e16'],
    ] as const) {
      scorer.outcome = () => ({ headers: [header] });
      await http.post('/score').send({}).expect(500).expect('x-ms-run-function-failed', 'False');
    }
    await line(({ msg, code }) => code === 'internal' && msg.includes('"bad name"'));
    // Compression answers from a callback of its own.
    scorer.outcome = () => ({
      headers: [
        ['content-type', 'text/plain'],
        ['x-a', 'a\u0001b'],
      ],
      body: Buffer.from('x'.repeat(2000)),
    });
    const { body } = await http.post('/score').set('accept-encoding', 'gzip').send({}).expect(500);
    assert.match((body as { message: string }).message, /internal error/);
  });

  it('of status 204 or 304 has neither body nor length', async (t) => {
    const { port, scorer } = await start(t);
    for (const status of [204, 304]) {
      scorer.outcome = () => ({ status });
      const answer = parse(await raw(port, 'POST /score HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}'));
      assert.equal(answer.status, status);
      assert.equal(answer.headers['content-length'], undefined);
      assert.equal(answer.body, '');
    }
  });
});

describe('other methods of /score', () => {
  it('GET is scored without a body', async (t) => {
    const { http, scorer } = await start(t);
    await http.get('/score?a=1&b=[1,2]').expect(200, { ok: true });
    assert.equal(scorer.requests[0]!.method, 'GET');
    assert.equal(scorer.requests[0]!.url, '/score?a=1&b=[1,2]');
    assert.deepEqual(scorer.calls, ['admit 0', 'score 0']);
  });

  it('OPTIONS is an empty 200', async (t) => {
    const { http, scorer } = await start(t);
    const { text, headers } = await http.options('/score').expect(200);
    assert.equal(text, '');
    assert.equal(headers['content-type'], 'text/html; charset=utf-8');
    assert.equal(headers['content-length'], '0');
    assert.equal(headers['x-ms-run-function-failed'], 'False');
    assert.equal(scorer.requests.length, 0);
  });

  it('HEAD is a 405 that counts a body and sends none', async (t) => {
    const { port, scorer } = await start(t);
    const { status, headers, body } = parse(await raw(port, 'HEAD /score HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'));
    assert.equal(status, 405);
    assert.equal(headers['content-length'], '33');
    assert.equal(headers['allow'], 'GET, POST, OPTIONS');
    assert.ok(headers['x-request-id']);
    assert.equal(body, '');
    assert.equal(scorer.requests.length, 0);
  });

  it('exotic ones are a 405 too', async (t) => {
    const { port } = await start(t);
    for (const method of ['PROPFIND', 'TRACE', 'QUERY', 'M-SEARCH']) {
      const answer = parse(await raw(port, `${method} /score HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`));
      assert.equal(answer.status, 405, method);
    }
  });

  it('GET, POST, OPTIONS and HEAD all reach a script in raw mode', async (t) => {
    const { http, scorer } = await start(t);
    scorer.served = { ...served, rawHttp: true };
    await http.get('/score').expect(200, { ok: true });
    await http.post('/score').send('x').expect(200, { ok: true });
    await http.options('/score').expect(200, { ok: true });
    const head = await http.head('/score').expect(200);
    assert.equal(head.headers['content-length'], '11');
    assert.deepEqual(
      scorer.requests.map(({ method }) => method),
      ['GET', 'POST', 'OPTIONS', 'HEAD'],
    );
    await http.put('/score').expect(405).expect('Allow', 'GET, HEAD, POST, OPTIONS');
  });
});

describe('the connection', () => {
  it('is kept for the next request, also after a refusal', async (t) => {
    const { port, scorer } = await start(t);
    const socket = await open(port);
    const post = 'POST /score HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}';
    socket.write(post);
    const first = await until(socket, '{"ok":true}');
    assert.match(first, /Connection: keep-alive\r\nKeep-Alive: timeout=75/);
    socket.write('PUT /score HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}');
    await until(socket, 'requested URL."}');
    socket.write(`${post}${post}`);
    await until(socket, '{"ok":true}');
    socket.destroy();
    assert.ok(scorer.requests.length >= 2);
  });

  it('cancels the scoring when the client leaves', async (t) => {
    const { port, scorer } = await start(t);
    scorer.outcome = () => new Promise(() => undefined);
    const scored = scorer.called('score');
    const socket = await open(port);
    socket.write('GET /score HTTP/1.1\r\nHost: x\r\n\r\n');
    await scored;
    const cancelled = scorer.called('cancel');
    socket.destroy();
    await cancelled;
    assert.equal(scorer.cancelled, 1);
  });

  it('ignores a reply that comes after the client has left', async (t) => {
    const { port, scorer, http } = await start(t);
    const late = new PassThrough();
    for (const reply of [{}, { body: late }, new ServerError('client_gone', 'gone')]) {
      const outcome = Promise.withResolvers<typeof reply>();
      scorer.outcome = () => outcome.promise;
      const scored = scorer.called('score');
      const socket = await open(port);
      socket.write('GET /score HTTP/1.1\r\nHost: x\r\n\r\n');
      await scored;
      const cancelled = scorer.called('cancel');
      socket.destroy();
      await cancelled;
      outcome.resolve(reply);
      await http.get('/').expect(200);
    }
    assert.ok(late.destroyed);
  });

  it('does not cancel a scoring that was answered', async (t) => {
    const { http, scorer, line } = await start(t);
    await http.post('/score').send({}).expect(200);
    await line(({ msg }) => msg === 'request');
    assert.equal(scorer.cancelled, 0);
  });
});
