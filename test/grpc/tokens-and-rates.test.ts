import { status } from '@grpc/grpc-js';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseKeys } from '../../server/config/access-keys.ts';
import { AUDIENCE, claims, ISSUER, jwksOf, keyServer, signingKey, tokenOf, tokenSetUp } from '../set-up/token-issuer.ts';
import { write } from './client.ts';
import { start } from './start.ts';

const MESSAGE = { model_name: 'wine' };
const answer = {
  headers: [['content-type', 'application/grpc']] as const,
  body: write('ModelInferResponse', { model_name: 'wine', id: '7' }),
};
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

describe('tokens over gRPC', () => {
  it('count in the metadata of a call', async (t) => {
    const { changes, token, key } = tokenSetUp(t);
    const { client, scorer, line } = await start(t, { ...changes, jwtClaims: [{ name: 'roles', values: ['a', 'b'] }] });
    scorer.outcome = () => answer;
    const counts = tokenOf(key, claims({ roles: ['b'] }));
    assert.equal((await client.call('ModelInfer', MESSAGE, bearer(counts))).message['id'], '7');
    assert.equal((await client.call('ServerMetadata', {}, bearer(counts))).message['name'], 'scoring-server');
    assert.equal((await line(({ msg }) => msg === 'request'))['token'], 'ann');
    assert.equal((await client.error('ModelInfer', MESSAGE, bearer(token))).code, status.PERMISSION_DENIED);
    for (const given of [{}, bearer('x'), bearer(tokenOf(signingKey()))])
      assert.equal((await client.error('ModelInfer', MESSAGE, given)).code, status.UNAUTHENTICATED);
    assert.deepEqual((await client.call('ServerLive')).message, { live: true });
    assert.equal(scorer.requests.length, 1);
  });

  it('are verified before a message is read, however soon it is there', async (t) => {
    const key = signingKey();
    const server = await keyServer(t, '');
    const asked = Promise.withResolvers<(text: string) => void>();
    server.answer = (response) => asked.resolve((text) => response.end(text));
    const { client, scorer } = await start(t, { jwtJwksUrl: server.url, jwtIssuer: [ISSUER], jwtAudience: [AUDIENCE] });
    scorer.outcome = () => answer;
    const calls = [client.call('ModelInfer', MESSAGE, bearer(tokenOf(key))), client.call('ServerMetadata', {}, bearer(tokenOf(key)))];
    const refused = client.error('ModelInfer', MESSAGE, bearer(tokenOf(signingKey())));
    // A call behind them on the same connection is answered, so their messages have arrived.
    await client.call('ServerLive');
    const answerKeys = await asked.promise;
    assert.deepEqual(
      scorer.calls.filter((call) => call !== 'release 0'),
      [],
    );
    answerKeys(jwksOf(key));
    await Promise.all(calls);
    assert.equal((await refused).code, status.UNAUTHENTICATED);
    assert.equal(scorer.requests.length, 1);
  });

  it('are UNAVAILABLE while the keys of the issuer never came', async (t) => {
    const server = await keyServer(t, 'no keys');
    const { client } = await start(t, { jwtJwksUrl: server.url, jwtIssuer: [ISSUER], jwtAudience: [AUDIENCE] });
    const { code, details } = await client.error('ModelInfer', MESSAGE, bearer(tokenOf(signingKey())));
    assert.deepEqual(
      [code, details],
      [status.UNAVAILABLE, 'The token cannot be verified now, because the keys of its issuer are not available. Retry later.'],
    );
  });
});

describe('a limited rate over gRPC', () => {
  it('is RESOURCE_EXHAUSTED for an address, but not for probes', async (t) => {
    const { client, scorer } = await start(t, { rateLimitPerSecond: 0.1 });
    scorer.outcome = () => answer;
    await client.call('ModelInfer', MESSAGE);
    const { code, details } = await client.error('ModelInfer', MESSAGE);
    assert.equal(code, status.RESOURCE_EXHAUSTED);
    assert.match(details, /^Too many requests: expected at most 0\.1 a second of one client\. Retry in (?:9|10) s\.$/);
    assert.equal((await client.error('ServerMetadata', {})).code, status.RESOURCE_EXHAUSTED);
    for (let times = 0; times < 3; times++) {
      await client.call('ServerReady');
      await client.call('ModelReady', { name: 'wine' });
      await client.call('Check', { service: '' });
    }
    assert.equal(scorer.requests.length, 1);
  });

  it('counts wrong keys for the address, and right ones for themselves', async (t) => {
    const [A, B] = ['key-a-of-16-characters', 'key-b-of-16-characters'];
    const { client, scorer } = await start(t, { rateLimitPerSecond: 0.1, scoringKeys: parseKeys(`a:${A},b:${B}`) });
    scorer.outcome = () => answer;
    await client.call('ModelInfer', MESSAGE, bearer(A));
    assert.equal((await client.error('ModelInfer', MESSAGE, bearer(A))).code, status.RESOURCE_EXHAUSTED);
    assert.equal((await client.error('ModelInfer', MESSAGE, bearer('a-wrong-key-of-16'))).code, status.UNAUTHENTICATED);
    for (const key of ['a-wrong-key-of-16', B])
      assert.equal((await client.error('ModelInfer', MESSAGE, bearer(key))).code, status.RESOURCE_EXHAUSTED);
  });
});
