import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { start } from './start.ts';

const A = 'https://a.example';
const B = 'https://b.example';
const ALLOW = 'access-control-allow-origin';

describe('CORS', () => {
  const rows: [origins: string[], origin: string | undefined, allowed: string | undefined, vary: boolean][] = [
    [[], A, undefined, false],
    [[A], A, A, false],
    [[A], 'HTTPS://A.example', 'HTTPS://A.example', false],
    [[A], B, undefined, false],
    [[A], undefined, A, false],
    [[A, B], B, B, true],
    [[A, B], 'https://c.example', undefined, true],
    [[A, B], undefined, A, true],
    [['*'], A, A, true],
    [['*'], undefined, '*', true],
  ];
  for (const [corsOrigins, origin, allowed, vary] of rows) {
    it(`of ${corsOrigins.join(' and ') || 'nothing'} for ${origin ?? 'no origin'} allows ${allowed ?? 'nothing'}`, async (t) => {
      const { http } = await start(t, { corsOrigins });
      const requests = [
        http.post('/score').send({}),
        http.get('/'),
        http.get('/swagger.json'),
        http.put('/score'),
        http.get('/swagger.json?version=9'),
      ];
      for (const request of requests) {
        const { headers } = await request.set(origin === undefined ? {} : { Origin: origin });
        assert.equal(headers[ALLOW], allowed);
        assert.equal(headers['vary'], vary ? 'Origin' : undefined);
      }
      const { headers } = await http.get('/none').set('Origin', A);
      assert.ok(!(ALLOW in headers));
    });
  }

  it('answers a preflight for an allowed method', async (t) => {
    const { http } = await start(t, { corsOrigins: [A] });
    const preflight = {
      Origin: A,
      'Access-Control-Request-Method': 'POST',
      'Access-Control-Request-Headers': 'content-type, x-request-id',
    };
    for (const path of ['/score', '/', '/swagger.json']) {
      const { headers, text } = await http.options(path).set(preflight).expect(200);
      assert.equal(text, '');
      assert.equal(headers[ALLOW], A);
      assert.equal(headers['access-control-allow-methods'], 'GET, POST');
      assert.equal(headers['access-control-allow-headers'], 'content-type, x-request-id');
    }
    const plain = await http.options('/score').set({ Origin: A, 'Access-Control-Request-Method': 'get' }).expect(200);
    assert.equal(plain.headers['access-control-allow-methods'], 'GET, POST');
    assert.ok(!('access-control-allow-headers' in plain.headers));
  });

  it('grants nothing to a preflight for another method or origin', async (t) => {
    const { http } = await start(t, { corsOrigins: [A] });
    for (const asked of [
      { Origin: A, 'Access-Control-Request-Method': 'DELETE' },
      { Origin: B, 'Access-Control-Request-Method': 'POST' },
      { Origin: A },
    ]) {
      const { headers } = await http.options('/score').set(asked).expect(200);
      assert.ok(!('access-control-allow-methods' in headers));
    }
  });

  it("is the operator's to decide, not the script's", async (t) => {
    const reply = { headers: [['Access-Control-Allow-Origin', B]] as const };
    const configured = await start(t, { corsOrigins: [A] });
    configured.scorer.outcome = () => reply;
    await configured.http.post('/score').send({}).expect('Access-Control-Allow-Origin', A);
    const free = await start(t);
    free.scorer.outcome = () => reply;
    await free.http.post('/score').send({}).expect('Access-Control-Allow-Origin', B);
  });

  it('holds on the health port too', async (t) => {
    const { listening } = await start(t, { corsOrigins: [A], separateHealthEndpoint: true });
    const { headers } = await fetch(`http://127.0.0.1:${listening.ports[1]}/`);
    assert.equal(headers.get(ALLOW), A);
  });
});
