import { status } from '@grpc/grpc-js';
import assert from 'node:assert/strict';
import { constants } from 'node:http2';
import { describe, it } from 'node:test';
import type { Access, Caller } from '../../server/access/access.ts';
import { parseKeys } from '../../server/config/access-keys.ts';
import { failures, ServerError } from '../../server/errors.ts';
import type { FakeScorer } from '../http/fake-scorer.ts';
import { write } from './client.ts';
import { CHECK, framed, INFER, MODEL_READY, open, RawCall, withSession } from './raw.ts';
import { start } from './start.ts';

const KEY = 'S3cretMark+/S3cretMark==';
const keys = { scoringKeys: parseKeys(`web:${KEY}`) };
const SERVICE = '/inference.GRPCInferenceService';
const MESSAGE = { model_name: 'wine' };
const reply = {
  headers: [['content-type', 'application/grpc']] as const,
  body: write('ModelInferResponse', { model_name: 'wine' }),
};

describe('the gRPC service with keys', () => {
  it('takes the key as metadata, and names it in the access log', async (t) => {
    const { client, scorer, lines, line } = await start(t, keys);
    scorer.outcome = () => reply;
    for (const given of [{ authorization: `Bearer ${KEY}` }, { authorization: `bearer ${KEY}` }, { 'api-key': KEY }, { 'x-api-key': KEY }])
      await client.call('ModelInfer', MESSAGE, { ...given, 'x-tenant': 'a' });
    await client.call('ServerMetadata', {}, { 'api-key': KEY });
    await line(() => lines.filter(({ msg }) => msg === 'request').length === 5);
    assert.ok(lines.filter(({ msg }) => msg === 'request').every(({ key }) => key === 'web'));
    assert.equal(scorer.requests.length, 4);
    for (const { rawHeaders } of scorer.requests) {
      assert.ok(rawHeaders.includes('x-tenant') && !rawHeaders.includes('authorization'));
      assert.doesNotMatch(JSON.stringify(rawHeaders), /S3cretMark/);
    }
    assert.doesNotMatch(JSON.stringify(lines), /S3cretMark/);
  });

  it('refuses every other call alike, those of unknown methods too', async (t) => {
    const { client, scorer, listening, metrics } = await start(t, keys);
    for (const given of [
      {},
      { 'api-key': 'wrong' },
      { 'api-key': KEY, 'x-api-key': 'other' },
      { authorization: `Basic ${btoa(`me:${KEY}`)}` },
    ])
      for (const name of ['ModelInfer', 'ModelMetadata', 'ServerMetadata']) {
        const error = await client.error(name, name === 'ModelInfer' ? MESSAGE : {}, given);
        assert.deepEqual([error.code, error.details], [status.UNAUTHENTICATED, failures.unauthorized.clientMessage]);
      }
    await withSession(listening.port, async (session) => {
      for (const path of [`${SERVICE}/RepositoryIndex`, '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo', '/x']) {
        assert.equal((await new RawCall(session, path).finish()).status, status.UNAUTHENTICATED);
        assert.equal((await new RawCall(session, path, { 'api-key': [KEY, KEY] }).finish()).status, status.UNIMPLEMENTED);
        assert.equal((await new RawCall(session, path, { 'api-key': [KEY, 'other'] }).finish()).status, status.UNAUTHENTICATED);
        assert.equal((await new RawCall(session, path, { 'api-key-bin': btoa(KEY) }).finish()).status, status.UNAUTHENTICATED);
      }
    });
    assert.deepEqual(calls(scorer), []);
    const text = await metrics.registry.metrics();
    assert.ok(text.includes('scoring_requests_total{route="grpc ModelInfer",code="401"} 4\n'));
    assert.ok(text.includes('scoring_request_duration_seconds_count 0\n'));
  });

  it('asks for no key on probes', async (t) => {
    const { client, listening } = await start(t, keys);
    assert.deepEqual((await client.call('ServerLive')).message, { live: true });
    assert.deepEqual((await client.call('ServerReady', {}, { authorization: 'Bearer wrong' })).message, { ready: true });
    await withSession(listening.port, async (session) => {
      for (const path of [CHECK, MODEL_READY])
        assert.equal(
          (await new RawCall(session, path).finish(framed(path === CHECK ? Buffer.alloc(0) : write('ModelReadyRequest', { name: 'wine' }))))
            .status,
          0,
        );
    });
    const watch = client.watch();
    assert.equal((await watch.next()).done, false);
    await watch.return(undefined);
  });

  it('reads and reserves nothing of a refused message, however long, and the connection stays usable', async (t) => {
    const { scorer, listening } = await start(t, keys);
    scorer.outcome = () => reply;
    const session = await open(listening.port);
    t.after(() => session.destroy());
    const message = write('ModelInferRequest', { ...MESSAGE, raw_input_contents: [Buffer.alloc(4 * 1024 * 1024)] });
    for (let round = 0; round < 3; round++) {
      const call = new RawCall(session, INFER);
      const end = await call.finish(framed(message));
      assert.equal(end.status, status.UNAUTHENTICATED);
    }
    assert.deepEqual(calls(scorer), []);
    const { status: code } = await new RawCall(session, INFER, { 'api-key': KEY }).finish(framed(message));
    assert.equal(code, 0);
    assert.equal(scorer.reserved, 0);
  });

  it('passes all metadata on where no key is asked for', async (t) => {
    const { client, scorer } = await start(t);
    scorer.outcome = () => reply;
    await client.call('ModelInfer', MESSAGE, { authorization: 'Bearer own', 'api-key': 'own' });
    assert.ok(scorer.requests[0]?.rawHeaders.includes('Bearer own'));
  });

  it('reads nothing of a message while a token is verified', async (t) => {
    for (const verdict of ['good', 'bad', 'left'] as const) {
      const { access, asked, decide } = pending();
      const { scorer, listening, line } = await start(t, {}, {}, access);
      scorer.outcome = () => reply;
      const session = await open(listening.port);
      t.after(() => session.destroy());
      const call = new RawCall(session, INFER, { authorization: 'Bearer token' });
      const sent = call.finish(framed(write('ModelInferRequest', { ...MESSAGE, raw_input_contents: [Buffer.alloc(1024 * 1024)] })));
      await asked;
      // A call that is not asked for a key passes meanwhile.
      assert.equal((await new RawCall(session, CHECK).finish(framed(Buffer.alloc(0)))).status, 0);
      assert.deepEqual(calls(scorer), []);
      if (verdict === 'left') call.stream.close(constants.NGHTTP2_CANCEL);
      else decide(verdict === 'good' ? { kind: 'token', name: 'subject' } : new ServerError('unauthorized', 'bad'));
      const { status: code } = await sent;
      const logged = await line(({ msg }) => msg === 'request');
      decide({ kind: 'token', name: 'subject' });
      assert.deepEqual([code, logged['status']], { good: [0, 200], bad: [status.UNAUTHENTICATED, 401], left: ['closed', 499] }[verdict]);
      assert.equal(scorer.requests.length, verdict === 'good' ? 1 : 0);
      assert.equal(logged['token'], verdict === 'good' ? 'subject' : undefined);
      assert.equal((await new RawCall(session, CHECK).finish(framed(Buffer.alloc(0)))).status, 0);
    }
  });
});

/** Calls of the scorer that reserve something, or score. */
const calls = ({ calls: all }: FakeScorer): string[] => all.filter((call) => call !== 'release 0');

/** An access whose tokens are verified when a test decides. */
function pending(): { readonly access: Access; readonly asked: Promise<void>; readonly decide: (verdict: Caller | ServerError) => void } {
  const asked = Promise.withResolvers<void>();
  const verdict = Promise.withResolvers<Caller>();
  const check = (): Promise<Caller> => {
    asked.resolve();
    return verdict.promise;
  };
  const decide = (given: Caller | ServerError): void => (given instanceof ServerError ? verdict.reject(given) : verdict.resolve(given));
  return { access: { keys: [], check }, asked: asked.promise, decide };
}
