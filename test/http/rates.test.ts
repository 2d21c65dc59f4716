import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseKeys } from '../../server/config/access-keys.ts';
import { tokenSetUp } from '../set-up/token-issuer.ts';
import { open, parse, raw } from './raw-client.ts';
import { start } from './start.ts';

/** One request in ten seconds, so that a second one is refused on any machine. */
const SLOW = { rateLimitPerSecond: 0.1 };
const [A, B] = ['key-a-of-16-characters', 'key-b-of-16-characters'];
const KEYS = { scoringKeys: parseKeys(`a:${A},b:${B}`) };

describe('a limited rate', () => {
  it('is a 429 that names the wait, and is counted', async (t) => {
    const { http, metrics, line } = await start(t, { ...SLOW, rateLimitBurst: 2 });
    for (let times = 0; times < 2; times++) await http.post('/score').send({}).expect(200);
    const { headers, body } = await http.post('/score').send({}).expect(429);
    assert.match(String(headers['retry-after']), /^(?:9|10)$/);
    assert.deepEqual(body, {
      message: `Too many requests: expected at most 0.1 a second of one client. Retry in ${headers['retry-after']} s.`,
    });
    const text = await metrics.registry.metrics();
    assert.match(text, /scoring_requests_total\{route="\/score",code="429"\} 1/);
    assert.match(text, /scoring_failures_total\{code="rate_limited"\} 1/);
    assert.match(text, /scoring_request_duration_seconds_count 2/);
    assert.equal((await line(({ code }) => code === 'rate_limited')).level, 'debug');
  });

  it('counts all routes but probes and metrics', async (t) => {
    const { http } = await start(t, { ...SLOW, rateLimitBurst: 3 });
    for (const path of ['/', '/livez', '/readyz', '/health/live', '/v2/health/live', '/metrics'])
      for (let times = 0; times < 3; times++) await http.get(path).expect(200);
    await http.get('/swagger.json').expect(200);
    await http.get('/v2').expect(200);
    await http.get('/none').expect(404);
    for (const path of ['/swagger.json', '/v2', '/none']) await http.get(path).expect(429);
    await http.get('/livez').expect(200);
  });

  it('is one for each key and token', async (t) => {
    const { changes, token } = tokenSetUp(t);
    const { http, lines, line } = await start(t, { ...SLOW, ...KEYS, ...changes });
    for (const credential of [A, B, token])
      for (const status of [200, 429]) await http.post('/score').set('Authorization', `Bearer ${credential}`).send({}).expect(status);
    await line(() => lines.filter(({ msg }) => msg === 'request').length === 6);
    const refused = lines.filter(({ msg, status }) => msg === 'request' && status === 429);
    assert.deepEqual(
      refused.map(({ key, token: subject }) => key ?? subject),
      ['a', 'b', 'ann'],
    );
  });

  it('slows down who guesses keys, without a sign of a right guess, and no other client', async (t) => {
    const { http } = await start(t, { ...SLOW, ...KEYS, trustedProxies: ['127.0.0.1'] });
    const score = (key: string, from: string) => http.post('/score').set('api-key', key).set('X-Forwarded-For', from).send({});
    await score('a-wrong-key-of-16', '10.0.0.1').expect(401);
    const wrong = await score('a-wrong-key-of-16', '10.0.0.1').expect(429);
    const right = await score(A, '10.0.0.1').expect(429);
    assert.equal(right.text.replace(/\d+ s/, ''), wrong.text.replace(/\d+ s/, ''));
    await score(A, '10.0.0.2').expect(200);
  });

  it('does not count preflights, where CORS is on', async (t) => {
    const { http } = await start(t, { ...SLOW, corsOrigins: ['https://a.example'] });
    const preflight = () => http.options('/score').set('Origin', 'https://a.example').set('Access-Control-Request-Method', 'POST');
    for (let times = 0; times < 3; times++) await preflight().expect(200).expect('Access-Control-Allow-Methods', 'GET, POST');
    await http.post('/score').set('Origin', 'https://a.example').send({}).expect(200);
    await http.post('/score').set('Origin', 'https://a.example').set('Access-Control-Request-Method', 'POST').send({}).expect(429);
  });

  it('refuses before it asks for a body, and takes no room for it', async (t) => {
    const { http, port, scorer } = await start(t, SLOW);
    await http.post('/score').send({}).expect(200);
    const calls = scorer.calls.length;
    const answer = await raw(
      port,
      'POST /score HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 99\r\n\r\n',
    );
    assert.equal(parse(answer).status, 429);
    assert.equal(scorer.calls.length, calls);
  });

  it('keeps the connection of a client that it refuses', async (t) => {
    const { port } = await start(t, SLOW);
    const socket = await open(port);
    let text = '';
    const answers = Promise.withResolvers<void>();
    socket.on('data', (data: Buffer) => {
      text += data.toString();
      if (text.split('HTTP/1.1 ').length === 4) answers.resolve();
    });
    const post = 'POST /score HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}';
    socket.write(post + post + post);
    await answers.promise;
    assert.deepEqual(
      [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status),
      ['200', '429', '429'],
    );
    socket.destroy();
  });
});
