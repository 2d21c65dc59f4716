import { status } from '@grpc/grpc-js';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseKeys } from '../../server/config/access-keys.ts';
import { failures } from '../../server/errors.ts';
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
        assert.equal((await new RawCall(session, path, { 'api-key': KEY }).finish()).status, status.UNIMPLEMENTED);
      }
    });
    assert.deepEqual(
      scorer.calls.filter((call) => call !== 'release 0'),
      [],
    );
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
    assert.deepEqual(
      scorer.calls.filter((call) => call !== 'release 0'),
      [],
    );
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
});
