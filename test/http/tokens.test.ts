import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { parseKeys } from '../../server/config/access-keys.ts';
import { AUDIENCE, claims, inSeconds, ISSUER, jwksOf, keyServer, signingKey, tokenOf, tokenSetUp } from '../set-up/token-issuer.ts';
import { until } from '../set-up/until.ts';
import { open } from './raw-client.ts';
import { start } from './start.ts';

const bearer = (token: string): [string, string] => ['Authorization', `Bearer ${token}`];

describe('a server that takes tokens', () => {
  it('scores for a token that counts, as Bearer or as api-key, and logs its subject', async (t) => {
    const { changes, token } = tokenSetUp(t);
    const { http, line } = await start(t, changes);
    await http
      .post('/score')
      .set(...bearer(token))
      .send({})
      .expect(200);
    await http.post('/score').set('api-key', token).send({}).expect(200);
    await http
      .get('/swagger.json')
      .set(...bearer(token))
      .expect(200);
    const logged = await line(({ msg }) => msg === 'request');
    assert.equal(logged['token'], 'ann');
  });

  it('answers 401 to every other token, with one text and no reason', async (t) => {
    const { changes, token, key } = tokenSetUp(t);
    const { http, lines, scorer } = await start(t, changes);
    const bodies = new Set<string>();
    const wrong = [
      token.slice(0, -5),
      tokenOf(key, claims({ exp: inSeconds(-90) })),
      tokenOf(signingKey()),
      'x',
      'x'.repeat(9000),
      `${token}.x`,
    ];
    for (const each of wrong) {
      const { text, headers } = await http
        .post('/score')
        .set(...bearer(each))
        .send({})
        .expect(401);
      bodies.add(text);
      assert.match(String(headers['www-authenticate']), /^Bearer/);
    }
    assert.equal(bodies.size, 1);
    assert.deepEqual(scorer.calls, []);
    const logged = JSON.stringify(lines);
    for (const each of [token, ...wrong])
      for (const part of each.split('.')) if (part.length > 20) assert.ok(!logged.includes(part.slice(0, 60)));
    assert.match(logged, /"exp\\" claim timestamp check failed/);
  });

  it('takes keys beside them', async (t) => {
    const { changes, token } = tokenSetUp(t);
    const { http } = await start(t, { ...changes, scoringKeys: parseKeys('a-key-of-16-chars') });
    for (const each of [token, 'a-key-of-16-chars'])
      await http
        .post('/score')
        .set(...bearer(each))
        .send({})
        .expect(200);
    await http
      .post('/score')
      .set(...bearer('another-key-of-16-chars'))
      .send({})
      .expect(401);
  });

  it('asks probes for nothing', async (t) => {
    const { http } = await start(t, tokenSetUp(t).changes);
    for (const path of ['/', '/livez', '/readyz', '/v2/health/ready']) await http.get(path).expect(200);
    for (const path of ['/swagger.json', '/v2', '/none']) await http.get(path).expect(401);
  });

  it('answers 503 with Retry-After while the keys of the issuer never came', async (t) => {
    const key = signingKey();
    const server = await keyServer(t, '');
    server.answer = (response) => response.writeHead(500).end();
    const { http, metrics } = await start(t, { jwtJwksUrl: server.url, jwtIssuer: [ISSUER], jwtAudience: [AUDIENCE] });
    const { headers } = await http
      .post('/score')
      .set(...bearer(tokenOf(key)))
      .send({})
      .expect(503);
    assert.equal(headers['retry-after'], '5');
    assert.match(await metrics.registry.metrics(), /scoring_refused_total\{reason="keys_unavailable"\} 1/);
    await http.post('/score').send({}).expect(401);
  });

  it('reads no byte of a body before the token is verified', async (t) => {
    const key = signingKey();
    const server = await keyServer(t, '');
    const asked = Promise.withResolvers<() => void>();
    server.answer = (response) => asked.resolve(() => response.end(jwksOf(key)));
    const { port, scorer } = await start(t, { jwtJwksUrl: server.url, jwtIssuer: [ISSUER], jwtAudience: [AUDIENCE] });
    const socket = await open(port);
    const body = `"${'x'.repeat(8 * 1024 * 1024)}"`;
    socket.write(`POST /score HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\nAuthorization: Bearer ${tokenOf(key)}\r\n\r\n`);
    socket.write(body);
    const answerKeys = await asked.promise;
    assert.deepEqual(scorer.calls, []);
    const scored = scorer.called('score');
    answerKeys();
    await scored;
    socket.destroy();
  });

  it('takes no room for a client that leaves while its token is verified', async (t) => {
    const key = signingKey();
    const server = await keyServer(t, '');
    const asked = Promise.withResolvers<() => void>();
    server.answer = (response) => asked.resolve(() => response.end(jwksOf(key)));
    const { port, scorer, line, http } = await start(t, { jwtJwksUrl: server.url, jwtIssuer: [ISSUER], jwtAudience: [AUDIENCE] });
    const socket = await open(port);
    socket.write(`POST /score HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nAuthorization: Bearer ${tokenOf(key)}\r\n\r\n{}`);
    const answerKeys = await asked.promise;
    socket.destroy();
    await line(({ msg, ['status']: status }) => msg === 'request' && status === 499);
    answerKeys();
    await http
      .post('/score')
      .set(...bearer(tokenOf(key, claims({ sub: 'bob' }))))
      .send({})
      .expect(200);
    assert.equal(scorer.requests.length, 1);
  });

  it('takes the keys of a changed file without losing a request', async (t) => {
    const { changes, token } = tokenSetUp(t);
    const { http } = await start(t, changes);
    const next = signingKey('RS256', 'next');
    writeFileSync(changes.jwtJwksFile, jwksOf(next));
    await until(
      async () =>
        (
          await http
            .post('/score')
            .set(...bearer(tokenOf(next)))
            .send({})
        ).status === 200,
    );
    await http
      .post('/score')
      .set(...bearer(token))
      .send({})
      .expect(401);
  });
});
