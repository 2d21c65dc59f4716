import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ServerError } from '../../server/errors.ts';
import { raw } from './raw-client.ts';
import { start } from './start.ts';

const isRequest = ({ msg }: { msg: string }): boolean => msg === 'request';

describe('/metrics', () => {
  it('counts answers', async (t) => {
    const { http, scorer, lines, line } = await start(t);
    for (let i = 0; i < 3; i++) await http.post('/score').send({}).expect(200);
    scorer.refuseAdmit = new ServerError('queue_full', 'full');
    await http.post('/score').send({}).expect(429);
    scorer.refuseAdmit = undefined;
    scorer.outcome = () => new ServerError('run_failed', 'x');
    await http.post('/score').send({}).expect(500);
    await http.get('/swagger.json').expect(200);
    await http.get('/some/path').expect(404);
    await line(() => lines.filter(isRequest).length === 7);

    const { text, headers } = await http.get('/metrics').expect(200);
    assert.match(headers['content-type']!, /^text\/plain; version=0\.0\.4/);
    for (const sample of [
      'scoring_requests_total{route="/score",code="200"} 3',
      'scoring_requests_total{route="/score",code="429"} 1',
      'scoring_requests_total{route="/score",code="500"} 1',
      'scoring_requests_total{route="/swagger.json",code="200"} 1',
      'scoring_requests_total{route="*",code="404"} 1',
      'scoring_refused_total{reason="queue_full"} 1',
      'scoring_failures_total{code="run_failed"} 1',
      'scoring_request_duration_seconds_count 5',
      'scoring_queue_duration_seconds_sum 0.00075',
      'scoring_run_duration_seconds_count 3',
      'scoring_run_duration_seconds_bucket{le="0.0025"} 3',
      'scoring_requests_in_flight 0',
      'scoring_requests_queued 0',
      'scoring_concurrency_limit 0',
      'server_ready 0',
    ]) {
      assert.ok(text.includes(`${sample}\n`), sample);
    }
    for (const name of [
      'worker_restarts_total',
      'model_load_seconds',
      'session_info',
      'process_cpu_seconds_total',
      'nodejs_eventloop_lag_seconds',
    ]) {
      assert.ok(text.includes(`# TYPE ${name} `), name);
    }
  });
});

it('counts each status of the routes that score from 0, and of no other route', async (t) => {
  const { http } = await start(t);
  const { text } = await http.get('/metrics').expect(200);
  const routes = Array.from(text.matchAll(/^scoring_requests_total\{route="([^"]+)",code="504"\} 0$/gm), ([, route]) => route);
  assert.deepEqual(routes, ['/score', '/v2/models/:model/infer', '/v2/models/:model/versions/:version/infer']);
  assert.doesNotMatch(text, /^scoring_requests_total\{route="[^"]+",code="(?!200")\d+"\} [1-9]/m);
});

describe('the access log', () => {
  it('has one line for a request, with its ids', async (t) => {
    const { http, line } = await start(t);
    await http
      .post('/score?secret=1')
      .set('x-request-id', 'mine')
      .set('traceparent', `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`)
      .send('{}')
      .expect(200);
    const { ms, time: _time, ...fields } = await line(isRequest);
    assert.deepEqual(fields, {
      level: 'info',
      route: '/score',
      method: 'POST',
      status: 200,
      requestId: 'mine',
      traceId: 'a'.repeat(32),
      worker: 1,
      bytesIn: 2,
      bytesOut: 11,
      msg: 'request',
    });
    assert.match(String(ms), /^\d+(\.\d{1,3})?$/);
  });

  it('names no worker for a request that reached none', async (t) => {
    const { http, line } = await start(t);
    await http.get('/none').expect(404);
    const logged = await line(isRequest);
    assert.equal(logged['status'], 404);
    assert.ok(!('worker' in logged));
  });

  it('has the path of a request that no route matched, without its query, and without a user', async (t) => {
    const { http, line, lines, port } = await start(t);
    await http.get('/none/deep?key=S3cret').expect(404);
    assert.deepEqual((await line(isRequest))['path'], '/none/deep');
    await http.get(`/${'x'.repeat(3000)}`).expect(404);
    await http.get('/%zz').expect(404);
    // The second is no URL.
    const whole = ['http://user:S3cret@host/other?key=S3cret', 'http://user:S3cret@host:99999/other'];
    for (const target of whole) await raw(port, `GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    await http.post('/score').send({}).expect(200);
    await line(({ msg, route }) => msg === 'request' && route === '/score');
    assert.deepEqual(
      lines.filter(isRequest).map(({ path }) => path),
      ['/none/deep', `/${'x'.repeat(199)}`, '/%zz', '/other', '/other', undefined],
    );
    assert.ok(!JSON.stringify(lines).includes('S3cret'));
  });

  it('names client and user agent where the option asks for them', async (t) => {
    const { http, line } = await start(t, { accessLogFields: ['client', 'user-agent'], trustedProxies: ['127.0.0.0/8'] });
    await http.post('/score').set('x-forwarded-for', '198.51.100.1, 127.0.0.9').set('user-agent', 'a'.repeat(300)).send({}).expect(200);
    const { client, userAgent } = await line(isRequest);
    assert.deepEqual([client, userAgent], ['198.51.100.1', 'a'.repeat(200)]);
  });

  it('names the other end of the connection where no proxy is trusted, also of a client that has left', async (t) => {
    const { http, line, lines, scorer, port } = await start(t, { accessLogFields: ['client'] });
    await http.post('/score').set('x-forwarded-for', '198.51.100.1').send({}).expect(200);
    assert.equal((await line(isRequest))['client'], '127.0.0.1');
    const asked = Promise.withResolvers<void>();
    scorer.outcome = () => {
      asked.resolve();
      return new Promise(() => undefined);
    };
    const leaving = new AbortController();
    const left = fetch(`http://127.0.0.1:${port}/score`, { method: 'POST', body: '{}', signal: leaving.signal });
    await asked.promise;
    leaving.abort();
    await assert.rejects(left);
    const { client } = await line(({ msg, status }) => msg === 'request' && status === 499);
    assert.equal(client, '127.0.0.1');
    assert.ok(!('userAgent' in (lines.find(isRequest) ?? {})));
  });

  it('can be switched off, which leaves the metrics', async (t) => {
    const { http, lines, metrics } = await start(t, { accessLog: false });
    await http.post('/score').send({}).expect(200);
    await http.post('/score').send({}).expect(200);
    assert.equal(lines.filter(isRequest).length, 0);
    const { values } = await metrics.requests.get();
    assert.ok(values.some(({ labels, value }) => labels['route'] === '/score' && value >= 1));
  });
});
