import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { streamed } from './fake-scorer.ts';
import { open, parse, raw, rest, until } from './raw-client.ts';
import { start } from './start.ts';

const never = (): Promise<never> => new Promise(() => undefined);
const HEADER = 'x-request-timeout-ms';

/** The routes that score, with the member of their errors that holds the text. */
const ROUTES = [
  ['post', '/score', 'message'],
  ['get', '/score', 'message'],
  ['post', '/v2/models/wine/infer', 'error'],
  ['post', '/v2/models/wine/versions/1/infer', 'error'],
] as const;

describe("a client's own deadline", { concurrency: true }, () => {
  for (const [method, path, member] of ROUTES)
    it(`ends ${method.toUpperCase()} ${path} with 504, and cancels its run`, async (t) => {
      const { http, scorer, line } = await start(t, { modelName: 'wine' });
      scorer.outcome = never;
      const { body, headers } = await http[method](path).set(HEADER, '30').expect(504);
      assert.deepEqual(body, { [member]: "No answer within the client's own limit of 30 ms (x-request-timeout-ms)" });
      assert.equal(headers['x-ms-run-function-failed'], 'False');
      assert.equal(scorer.cancelled, 1);
      const logged = await line(({ msg }) => msg === 'request');
      assert.deepEqual([logged['status'], logged['worker']], [504, 7]);
    });

  it('leaves the connection usable where the body had arrived', async (t) => {
    const { port, scorer } = await start(t);
    scorer.outcome = never;
    const socket = await open(port);
    const post = `POST /score HTTP/1.1\r\nHost: x\r\n${HEADER}: 20\r\nContent-Length: 2\r\n\r\n{}`;
    for (let count = 0; count < 3; count++) {
      socket.write(post);
      const { status, headers } = parse(await until(socket, '(x-request-timeout-ms)"}'));
      assert.deepEqual([status, headers['connection']], [504, 'keep-alive']);
    }
    socket.destroy();
  });

  it('ends the connection where it passes during an upload: no request that follows on it runs', async (t) => {
    const { port, scorer } = await start(t);
    const socket = await open(port);
    socket.write(`POST /score HTTP/1.1\r\nHost: x\r\n${HEADER}: 20\r\nContent-Length: 2\r\n\r\n{`);
    const { status, headers } = parse(await until(socket, '(x-request-timeout-ms)"}'));
    assert.deepEqual([status, headers['connection']], [504, 'close']);
    socket.write('}POST /score HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}');
    assert.equal(await rest(socket), '');
    assert.equal(scorer.requests.length, 0);
    assert.equal(scorer.reserved, 0);
  });

  it('is refused where it is not whole milliseconds, once', async (t) => {
    const { http, scorer, port } = await start(t, { modelName: 'wine' });
    const wrong = ['0', '-1', '+5', '1.5', '1e3', '5s', '0x10', 'soon', '007', '2147483648', '9'.repeat(300), '1,2', '10, 10', '∞'];
    for (const value of wrong) {
      const sent = Buffer.from(value).toString('latin1');
      const { body } = await http.post('/score').set(HEADER, sent).send({}).expect(400);
      assert.match(
        (body as { message: string }).message,
        /^x-request-timeout-ms: expected whole milliseconds from 1 to 2147483647, once, got /,
      );
      assert.ok(JSON.stringify(body).length < 300);
    }
    await http.get('/score').set(HEADER, 'x').expect(400);
    await http.post('/v2/models/wine/infer').set(HEADER, 'x').expect(400);
    const twice = `POST /score HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${HEADER}: 50\r\n${HEADER}: 50\r\nContent-Length: 2\r\n\r\n{}`;
    assert.equal(parse(await raw(port, twice)).status, 400);
    assert.equal(scorer.requests.length, 0);
    assert.equal(scorer.reserved, 0);
  });

  it('is none where the header is empty or absent, and the longest is no immediate one', async (t) => {
    const { http, scorer } = await start(t);
    for (const value of ['', ' ', '2147483647', '1000000', '\t60000 ']) await http.post('/score').set(HEADER, value).send({}).expect(200);
    assert.deepEqual(
      scorer.requests.map(({ deadline }) => deadline !== undefined),
      [false, false, true, true, true],
    );
  });

  it('is nothing that a probe, a scrape, a description or a preflight reads', async (t) => {
    const { http } = await start(t);
    for (const path of ['/', '/livez', '/readyz', '/health/ready', '/v2/health/ready', '/metrics', '/swagger.json'])
      await http.get(path).set(HEADER, 'wrong').expect(200);
    const preflight = { 'Access-Control-Request-Headers': HEADER, Origin: 'http://x' };
    await http.options('/score').set(preflight).expect(200);
  });

  for (const [name, head, part] of [
    ['of a declared length', 'Content-Length: 100', '{'],
    ['that is large', 'Content-Length: 1000000', ' '.repeat(70_000)],
    ['in chunks', 'Transfer-Encoding: chunked', '2\r\n{}\r\n'],
    ['that is compressed', 'Content-Encoding: gzip\r\nTransfer-Encoding: chunked', '2\r\n\x1f\x8b\r\n'],
    ['that has not begun', 'Expect: 100-continue\r\nContent-Length: 5', ''],
  ] as const)
    it(`cuts an upload ${name}, and closes its connection once the client has the answer`, async (t) => {
      const { port, scorer } = await start(t);
      const socket = await open(port);
      socket.write(`POST /score HTTP/1.1\r\nHost: x\r\n${HEADER}: 40\r\n${head}\r\n\r\n${part}`, 'latin1');
      const answer = parse((await until(socket, '(x-request-timeout-ms)"}')).replace('HTTP/1.1 100 Continue\r\n\r\n', ''));
      assert.equal(answer.status, 504);
      assert.equal(answer.headers['connection'], 'close');
      // What still comes is read, so that the answer is not lost to a reset.
      socket.write(' '.repeat(1000));
      await rest(socket);
      assert.deepEqual([scorer.reserved, scorer.requests.length], [0, 0]);
    });

  it('ends with the first chunk of a stream, as the deadline of the server does', async (t) => {
    const { http, scorer } = await start(t);
    const body = new Readable({ read: () => undefined });
    scorer.outcome = () => streamed(body);
    const scored = scorer.called('score');
    const answer = http.post('/score').set(HEADER, '2000').send({});
    const done = answer.expect(200).then(({ text }) => text);
    await scored;
    body.push('one ');
    await new Promise((resolve) => setTimeout(resolve, 2100));
    body.push('two');
    body.push(null);
    assert.equal(await done, 'one two');
    assert.equal(scorer.cancelled, 0);
  });

  it('that passes in the turn of the answer gives exactly one of both', async (t) => {
    const { http, scorer } = await start(t);
    scorer.outcome = () => new Promise((resolve) => setTimeout(resolve, 5, {}));
    const statuses = await Promise.all(
      Array.from(
        { length: 60 },
        async (_, at) =>
          (
            await http
              .post('/score')
              .set(HEADER, String(1 + (at % 12)))
              .send({})
          ).status,
      ),
    );
    assert.ok(statuses.every((status) => status === 200 || status === 504));
    assert.ok(statuses.includes(504));
  });

  it('is no failure of the server: it counts under its own code, with the time of its run', async (t) => {
    const { http, scorer, metrics, line } = await start(t);
    scorer.outcome = never;
    await http.post('/score').set(HEADER, '5').send({}).expect(504);
    await line(({ msg }) => msg === 'request');
    const text = await metrics.registry.metrics();
    assert.match(text, /^scoring_failures_total\{code="client_deadline"\} 1$/m);
    assert.match(text, /^scoring_failures_total\{code="deadline_exceeded"\} 0$/m);
    assert.match(text, /^scoring_requests_total\{route="\/score",code="504"\} 1$/m);
  });
});
