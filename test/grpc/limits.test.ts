import { status } from '@grpc/grpc-js';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectSocket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, it } from 'node:test';
import { deflateSync, gzipSync } from 'node:zlib';
import { ScoringError, ServerError } from '../../server/errors.ts';
import { write } from './client.ts';
import { CHECK, framed, INFER, MODEL_READY, open, RawCall, WATCH, withSession } from './raw.ts';
import { start } from './start.ts';

const MB = 1024 * 1024;
const question = write('ModelInferRequest', { model_name: 'wine' });
const answer = {
  headers: [['content-type', 'application/grpc']] as const,
  body: write('ModelInferResponse', { model_name: 'wine', id: '7' }),
};
const QUICK = { uploadWindowMs: 200, uploadWindowBytes: 1024 };
/** What a client can keep to on a slow machine, too. */
const PATIENT_MS = 2500;

describe('an upload over gRPC', () => {
  it('reserves the bytes that arrive, not the declared ones, and releases them when the client leaves', async (t) => {
    const { scorer, listening } = await start(t);
    await withSession(listening.port, async (session) => {
      const call = new RawCall(session, INFER);
      const grown = scorer.called('grow');
      await call.send(framed(Buffer.alloc(1000), { declared: 90 * MB }));
      await grown;
      assert.ok(scorer.reserved < 20_000, String(scorer.reserved));
      const released = scorer.called('release');
      call.stream.close(8);
      await released;
      assert.equal(scorer.reserved, 0);
      assert.deepEqual(scorer.requests, []);
    });
  });

  it('is refused before it is read if the server cannot take it, or the queue is full', async (t) => {
    const { scorer, listening } = await start(t);
    await withSession(listening.port, async (session) => {
      scorer.refuseAdmit = new ServerError('queue_full', 'full');
      assert.equal((await new RawCall(session, INFER).ended).status, status.RESOURCE_EXHAUSTED);
      scorer.refuseAdmit = undefined;
      const call = new RawCall(session, INFER);
      const grown = scorer.called('grow');
      await call.send(framed(Buffer.alloc(1000), { declared: 90 * MB }));
      await grown;
      scorer.refuseGrow = new ServerError('queue_full', 'full');
      void call.send(Buffer.alloc(MB));
      assert.equal((await call.ended).status, status.RESOURCE_EXHAUSTED);
      assert.equal(scorer.reserved, 0);
      // Probes need no room.
      assert.equal((await new RawCall(session, CHECK).finish(framed(Buffer.alloc(0)))).status, status.OK);
    });
  });

  it('that stops or drips is ended, and releases its bytes', async (t) => {
    const { scorer, listening, metrics } = await start(t, {}, QUICK);
    await withSession(listening.port, async (session) => {
      const [silent, empty, dripping, probe] = [
        new RawCall(session, INFER),
        new RawCall(session, INFER),
        new RawCall(session, INFER),
        new RawCall(session, CHECK),
      ];
      await silent.send(framed(Buffer.alloc(500), { declared: MB }));
      await dripping.send(framed(Buffer.alloc(2000), { declared: MB }));
      await probe.send(framed(Buffer.alloc(10), { declared: 100 }));
      const drops = setInterval(() => void dripping.send(Buffer.alloc(1)), 20);
      t.after(() => clearInterval(drops));
      for (const call of [silent, empty, dripping, probe]) {
        const end = await call.ended;
        assert.equal(end.status, status.DEADLINE_EXCEEDED);
        assert.match(end.text, /too slowly: expected at least 1 KiB in 0.2 s/);
      }
      assert.equal(scorer.reserved, 0);
      assert.match(await metrics.registry.metrics(), /scoring_requests_total\{route="grpc ModelInfer",code="408"\} 3/);
    });
  });

  it('goes on as long as it is quick enough', async (t) => {
    const { scorer, listening } = await start(t, {}, { uploadWindowMs: PATIENT_MS, uploadWindowBytes: 1024 });
    scorer.outcome = () => answer;
    await withSession(listening.port, async (session) => {
      const call = new RawCall(session, INFER);
      const pieces = 30;
      await call.send(framed(Buffer.alloc(0), { declared: pieces * 1024 }));
      const from = performance.now();
      for (let sent = 1; sent < pieces; sent++) {
        await call.send(Buffer.alloc(1024));
        await delay(180);
      }
      assert.ok(performance.now() - from > 2 * PATIENT_MS);
      assert.equal((await call.finish(Buffer.alloc(1024))).status, status.OK);
    });
  });

  it('may come in whatever parts, each of a byte', async (t) => {
    const { scorer, listening } = await start(t);
    scorer.outcome = () => answer;
    const message = Buffer.from(Array.from({ length: 20_000 }, (_, at) => at % 251));
    await withSession(listening.port, async (session) => {
      const call = new RawCall(session, INFER);
      for (const byte of framed(message)) call.stream.write(Buffer.of(byte));
      assert.equal((await call.finish()).status, status.OK);
    });
    const [request] = scorer.requests;
    assert.deepEqual(Buffer.concat([...request!.body]), message);
    assert.ok(request!.body.length < 10, `${request!.body.length} pieces`);
    assert.equal(scorer.reserved, 0);
  });

  const wrong: [title: string, body: Buffer, status: number, text: RegExp][] = [
    ['no message', Buffer.alloc(0), status.INVALID_ARGUMENT, /expected one message, got none/],
    ['half a head', Buffer.alloc(3), status.INVALID_ARGUMENT, /expected one message, got none/],
    ['half a message', framed(Buffer.alloc(5), { declared: 9 }), status.INVALID_ARGUMENT, /expected a message of 9 bytes, got 5/],
    ['two messages', Buffer.concat([framed(question), framed(question)]), status.INVALID_ARGUMENT, /expected one message, got more/],
    ['endless empty messages', Buffer.alloc(100_000), status.INVALID_ARGUMENT, /expected one message, got more/],
    ['an unknown flag', Buffer.of(7, 0, 0, 0, 0), status.INVALID_ARGUMENT, /begins with 0 or 1, got 7/],
    [
      'too long a message',
      framed(Buffer.alloc(9), { declared: 0xffff_ffff }),
      status.RESOURCE_EXHAUSTED,
      /must not exceed 104857600 bytes/,
    ],
    ['compressed by nothing', framed(question, { compressed: true }), status.INVALID_ARGUMENT, /grpc-encoding names no encoding/],
  ];
  for (const [title, body, code, text] of wrong)
    it(`is refused: ${title}`, async (t) => {
      const { scorer, listening } = await start(t);
      await withSession(listening.port, async (session) => {
        const end = await new RawCall(session, INFER).finish(body);
        assert.equal(end.status, code);
        assert.match(end.text, text);
        assert.match(String(end.metadata['x-request-id']), /^[0-9a-f-]{36}$/);
      });
      assert.equal(scorer.reserved, 0);
      assert.deepEqual(scorer.requests, []);
    });

  it('may be compressed, and is inflated up to its limit and that of the queue', async (t) => {
    const { scorer, listening } = await start(t, { bodyLimitBytes: MB });
    scorer.outcome = () => answer;
    await withSession(listening.port, async (session) => {
      const ask = (bytes: Buffer, encoding: string, path = INFER) =>
        new RawCall(session, path, { 'grpc-encoding': encoding }).finish(framed(bytes, { compressed: true }));
      assert.equal((await ask(gzipSync(question), 'gzip')).status, status.OK);
      assert.equal((await ask(deflateSync(question), 'deflate')).status, status.OK);
      assert.deepEqual(
        scorer.requests.map(({ body }) => Buffer.concat([...body])),
        [question, question],
      );
      // The flag of the message decides, whatever grpc-encoding says.
      assert.equal((await new RawCall(session, INFER, { 'grpc-encoding': 'gzip' }).finish(framed(question))).status, status.OK);
      assert.equal((await ask(gzipSync(Buffer.alloc(200 * MB)), 'gzip')).status, status.RESOURCE_EXHAUSTED);
      assert.equal((await ask(gzipSync(Buffer.alloc(65 * 1024)), 'gzip', CHECK)).status, status.RESOURCE_EXHAUSTED);
      assert.equal((await ask(gzipSync(question).subarray(4), 'gzip')).status, status.INVALID_ARGUMENT);
      assert.equal((await ask(question, 'br')).status, status.UNIMPLEMENTED);
      const grow = scorer.grow.bind(scorer);
      scorer.grow = (bytes) => {
        if (scorer.reserved + bytes > 500_000) throw new ServerError('queue_full', 'full');
        grow(bytes);
      };
      assert.equal((await ask(gzipSync(Buffer.alloc(MB - 10)), 'gzip')).status, status.RESOURCE_EXHAUSTED);
    });
    assert.equal(scorer.reserved, 0);
  });
});

describe('the limit of a gRPC client', () => {
  it('is a number of calls on a connection, which the client learns, and a number of all calls', async (t) => {
    const { scorer, listening } = await start(t, {}, { callsOfConnection: 5, calls: 6 });
    scorer.outcome = () => new Promise(() => undefined);
    const [first, second] = [await open(listening.port), await open(listening.port)];
    t.after(() => [first, second].forEach((session) => session.destroy()));
    assert.equal(first.remoteSettings.maxConcurrentStreams, 5);
    const calls = [first, first, first, first, first, second].map((session) => new RawCall(session, INFER));
    await Promise.all(calls.map((call) => call.send(framed(question))));
    const refused = new RawCall(second, CHECK);
    assert.equal((await refused.ended).status, 'closed');
    assert.equal(refused.stream.rstCode, 7, 'REFUSED_STREAM: clients retry');
    calls[0]!.stream.close(8);
    await calls[0]!.ended;
    // The server sees the reset with its next read.
    for (let tried = new RawCall(second, CHECK); ; tried = new RawCall(second, CHECK)) {
      const end = await tried.finish(framed(Buffer.alloc(0)));
      if (end.status === status.OK) break;
      assert.equal(tried.stream.rstCode, 7);
    }
  });

  it('is a number of connections', async (t) => {
    const { listening } = await start(t, {}, { connections: 2 });
    const [first, second] = [await open(listening.port), await open(listening.port)];
    t.after(() => [first, second].forEach((session) => session.destroy()));
    const third = await open(listening.port);
    if (!third.destroyed) await once(third, 'close');
    assert.equal((await new RawCall(second, CHECK).finish(framed(Buffer.alloc(0)))).status, status.OK);
  });

  it('is no connection without calls, be it new, used or silent', async (t) => {
    const { listening } = await start(t, {}, { firstCallMs: PATIENT_MS, connectionIdleMs: 200 });
    const fresh = await open(listening.port);
    const silent = connectSocket(listening.port, '127.0.0.1')
      .on('error', () => undefined)
      .resume();
    const used = await open(listening.port);
    const closed = [once(fresh, 'close'), once(used, 'close'), once(silent, 'close')];
    assert.equal((await new RawCall(used, CHECK).finish(framed(Buffer.alloc(0)))).status, status.OK);
    await Promise.all(closed);
  });

  it('stays open while a call is under way, however long that takes', async (t) => {
    const { scorer, listening } = await start(
      t,
      {},
      {
        firstCallMs: PATIENT_MS,
        connectionIdleMs: 50,
        answerIdleMs: PATIENT_MS,
        uploadWindowMs: PATIENT_MS,
      },
    );
    scorer.outcome = () => delay(PATIENT_MS + 500, answer);
    await withSession(listening.port, async (session) => {
      const watched = new RawCall(session, WATCH);
      watched.stream.end(framed(Buffer.alloc(0)));
      assert.equal((await new RawCall(session, INFER).finish(framed(question))).status, status.OK);
      assert.equal(watched.stream.closed, false);
    });
  });

  it('ends with the port: a close waits neither for idle connections nor for silent ones', async (t) => {
    const { listening } = await start(t);
    const idle = await open(listening.port);
    const silent = connectSocket(listening.port, '127.0.0.1')
      .on('error', () => undefined)
      .resume();
    await once(silent, 'connect');
    const watched = new RawCall(idle, WATCH);
    watched.stream.end(framed(Buffer.alloc(0)));
    await once(watched.stream, 'data');
    await listening.close();
    assert.equal((await watched.ended).status, status.OK);
  });

  it('is a number of watchers', async (t) => {
    const { listening } = await start(t, {}, { watchers: 2 });
    await withSession(listening.port, async (session) => {
      const watch = (): RawCall => {
        const call = new RawCall(session, WATCH);
        call.stream.end(framed(Buffer.alloc(0)));
        return call;
      };
      const [first, second] = [watch(), watch()];
      await Promise.all([once(first.stream, 'data'), once(second.stream, 'data')]);
      assert.equal((await watch().ended).status, status.RESOURCE_EXHAUSTED);
    });
  });

  it('is metadata of 16 KiB', async (t) => {
    const { listening } = await start(t);
    await withSession(listening.port, async (session) => {
      const ask = (size: number) => new RawCall(session, CHECK, { 'x-long': 'x'.repeat(size) }).finish(framed(Buffer.alloc(0)));
      assert.equal((await ask(15 * 1024)).status, status.OK);
      assert.equal((await ask(17 * 1024)).status, 'closed');
    });
  });

  it('is no answer that it does not take', async (t) => {
    const { scorer, listening } = await start(t, {}, { answerIdleMs: 200 });
    scorer.outcome = () => ({ ...answer, body: Buffer.alloc(2 * MB) });
    await withSession(listening.port, async (session) => {
      const call = new RawCall(session, INFER);
      call.stream.pause();
      call.stream.end(framed(question));
      assert.equal((await call.ended).status, 'closed');
      assert.equal(call.stream.rstCode, 8);
    });
  });

  it('is an answer of any size that it takes, however slowly', async (t) => {
    const { scorer, listening } = await start(t, {}, { answerIdleMs: PATIENT_MS });
    scorer.outcome = () => ({ ...answer, body: Buffer.alloc(2 * MB) });
    await withSession(listening.port, async (session) => {
      const call = new RawCall(session, INFER);
      call.stream.on('data', () => call.stream.pause());
      const slow = setInterval(() => call.stream.resume(), 30);
      t.after(() => clearInterval(slow));
      const from = performance.now();
      const end = await call.finish(framed(question));
      assert.ok(performance.now() - from > PATIENT_MS);
      assert.deepEqual([end.status, end.bytes], [status.OK, 2 * MB + 5]);
    });
  });
});

describe('a request of a gRPC client', () => {
  it('is no gRPC, or names no method: both are refused', async (t) => {
    const { listening } = await start(t);
    await withSession(listening.port, async (session) => {
      for (const type of ['text/plain', 'application/grpc-web']) {
        const { metadata } = await new RawCall(session, CHECK, { 'content-type': type }).finish();
        assert.equal(metadata[':status'], 415);
      }
      const unknown = await new RawCall(session, '/a/%E4%B8%80?é', {}).finish();
      assert.equal(unknown.status, status.UNIMPLEMENTED);
      const connect = session.request({ ':method': 'CONNECT', ':authority': 'a:1' }).on('error', () => undefined);
      const [headers] = (await once(connect, 'response')) as [Record<string, unknown>];
      assert.equal(headers[':status'], 415);
    });
  });

  it('may be an id that gRPC cannot carry back, and names without end', async (t) => {
    const { listening } = await start(t);
    await withSession(listening.port, async (session) => {
      const ids = { 'x-request-id': 'é', 'x-ms-client-request-id': 'mine' };
      const end = await new RawCall(session, CHECK, ids).finish(framed(Buffer.alloc(0)));
      assert.deepEqual([end.status, end.metadata['x-request-id'], end.metadata['x-ms-client-request-id']], [0, undefined, 'mine']);
      const long = write('ModelReadyRequest', { name: 'x'.repeat(60_000) });
      const refused = await new RawCall(session, MODEL_READY).finish(framed(long));
      assert.equal(refused.status, status.INVALID_ARGUMENT);
      assert.match(refused.text, /names of at most 4096 bytes/);
    });
  });

  it('is a deadline: one that cannot be read is refused, one that is too long for a timer is none', async (t) => {
    const { listening } = await start(t);
    await withSession(listening.port, async (session) => {
      const ask = async (timeout: string) =>
        (await new RawCall(session, CHECK, { 'grpc-timeout': timeout }).finish(framed(Buffer.alloc(0)))).status;
      assert.equal(await ask('99999999H'), status.OK);
      assert.equal(await ask('5S'), status.OK);
      for (const wrong of ['soon', '123456789S', '-1S', '5 S', '']) assert.equal(await ask(wrong), status.INVALID_ARGUMENT, wrong);
      const waiting = new RawCall(session, INFER, { 'grpc-timeout': '100m' });
      const { status: code, text } = await waiting.ended;
      assert.deepEqual([code, text], [status.DEADLINE_EXCEEDED, "No answer within the client's own limit of 100 ms (grpc-timeout)"]);
      const watching = new RawCall(session, WATCH, { 'grpc-timeout': '100m' });
      assert.equal((await watching.finish(framed(Buffer.alloc(0)))).status, status.DEADLINE_EXCEEDED);
    });
  });

  it('is cancelled at its deadline as if its client had left, and counts as the choice of its client', async (t) => {
    const { listening, scorer, line, metrics } = await start(t);
    scorer.outcome = () => new Promise(() => undefined);
    await withSession(listening.port, async (session) => {
      for (const timeout of ['50m', '50000u', '0n']) {
        const { status: code, text } = await new RawCall(session, INFER, { 'grpc-timeout': timeout }).finish(framed(question));
        assert.equal(code, status.DEADLINE_EXCEEDED);
        assert.match(text, /^No answer within the client's own limit of (?:50|0) ms \(grpc-timeout\)$/);
      }
      // It is HTTP's own, and gRPC has another.
      const other = new RawCall(session, CHECK, { 'x-request-timeout-ms': 'wrong' });
      assert.equal((await other.finish(framed(Buffer.alloc(0)))).status, status.OK);
    });
    assert.ok(scorer.cancelled >= 2);
    const logged = await line(({ msg, status: code }) => msg === 'request' && code === 504);
    assert.deepEqual([logged['route'], logged['worker']], ['grpc ModelInfer', 7]);
    const text = await metrics.registry.metrics();
    assert.match(text, /^scoring_failures_total\{code="client_deadline"\} 3$/m);
    assert.match(text, /^scoring_failures_total\{code="deadline_exceeded"\} 0$/m);
  });

  it('gets the text of an error, whatever a script wrote there', async (t) => {
    const { scorer, listening } = await start(t);
    const lone = new ScoringError(422, `100 % \ud800 \n ü ${'€'.repeat(2000)}`).message;
    scorer.outcome = () => ({ status: 422, body: Buffer.from('a'.repeat(999) + '😀') });
    await withSession(listening.port, async (session) => {
      const cut = await new RawCall(session, INFER).finish(framed(question));
      assert.deepEqual([cut.status, cut.text], [status.INVALID_ARGUMENT, `${'a'.repeat(999)}\ufffd`]);
      scorer.outcome = () => new ServerError('invalid_input', lone);
      const end = await new RawCall(session, INFER).finish(framed(question));
      assert.ok(end.text.startsWith('100 % \ufffd \n ü €€'));
      assert.ok(String(end.metadata['grpc-message']).length <= 4000);
    });
  });
});
