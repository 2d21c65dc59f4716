import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readIds } from '../../server/request/request-ids.ts';
import { start } from './start.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const A = 'x-request-id';
const B = 'x-ms-request-id';
const C = 'x-ms-client-request-id';
const TRACE = '0af7651916cd43dd8448eb211c80319c';

describe('ids of a request', () => {
  const rows: { send: string[]; b: 'a' | 'b' | 'c'; c: 'b' | 'c' | undefined }[] = [
    { send: [], b: 'a', c: undefined },
    { send: [A], b: 'a', c: undefined },
    { send: [B], b: 'b', c: 'b' },
    { send: [C], b: 'c', c: 'c' },
    { send: [A, B], b: 'b', c: 'b' },
    { send: [A, C], b: 'c', c: 'c' },
    { send: [B, C], b: 'b', c: 'c' },
    { send: [A, B, C], b: 'b', c: 'c' },
  ];
  const values: Record<string, string> = { [A]: 'id-a', [B]: 'id-b', [C]: 'id-c' };
  for (const { send, b, c } of rows) {
    it(`answers ${send.join(' + ') || 'none'} by the matrix`, async (t) => {
      const { http, scorer } = await start(t);
      const { headers } = await http
        .post('/score')
        .set(Object.fromEntries(send.map((name) => [name, values[name]!])))
        .send({});
      if (send.includes(A)) assert.equal(headers[A], 'id-a');
      else assert.match(headers[A]!, UUID);
      assert.equal(headers[B], b === 'a' ? headers[A] : `id-${b}`);
      assert.equal(headers[C], c === undefined ? undefined : `id-${c}`);
      assert.equal(scorer.requests[0]!.id, headers[A]);
      assert.equal(scorer.requests[0]!.clientRequestId, headers[C]);
    });
  }

  it('warns once of the deprecated header, whatever follows', async (t) => {
    const { http, lines } = await start(t);
    await http
      .post('/score')
      .set({ [C]: 'c' })
      .send({});
    const warned = (): unknown[] => lines.filter(({ level, msg }) => level === 'warn' && /x-ms-request-id, which is deprecated/.test(msg));
    assert.deepEqual(warned(), []);
    await http
      .post('/score')
      .set({ [A]: 'first', [B]: 'b' })
      .send({});
    for (let round = 0; round < 3; round++) await http.get('/').set({ [B]: 'b' });
    assert.deepEqual(
      warned().map((line) => (line as Record<string, unknown>)['requestId']),
      ['first'],
    );
  });

  it('takes an empty header for an absent one', async (t) => {
    const { http } = await start(t);
    const { headers } = await http.get('/').set({ [A]: '', [B]: '', [C]: '', TraceId: '' });
    assert.match(headers[A]!, UUID);
    assert.equal(headers[B], headers[A]);
    assert.ok(!(C in headers) && !('traceid' in headers));
  });

  it('takes 100 characters and refuses 101, with the ids that the contract names', async (t) => {
    const { http, scorer } = await start(t);
    const fits = 'x'.repeat(100);
    await http
      .post('/score')
      .set({ [A]: fits, [B]: fits, [C]: fits })
      .send({})
      .expect(200);

    const long = `${fits}x`;
    const first = await http
      .post('/score')
      .set({ [A]: long, [B]: long, TraceId: 't' })
      .send({})
      .expect(431);
    assert.deepEqual(first.body, { message: 'x-request-id must not exceed 100 characters' });
    assert.equal(first.headers['x-ms-run-function-failed'], 'False');
    assert.equal(first.headers['traceid'], 't');
    for (const name of [A, B, C]) assert.ok(!(name in first.headers), name);

    for (const name of [B, C]) {
      const { body, headers } = await http
        .post('/score')
        .set({ [A]: 'mine', [name]: long })
        .send({})
        .expect(431);
      assert.deepEqual(body, { message: 'x-ms-request-id and x-ms-client-request-id must not exceed 100 characters' });
      assert.equal(headers[A], 'mine');
      assert.ok(!(B in headers) && !(C in headers));
    }
    assert.equal(scorer.requests.length, 1);
  });

  it('echoes TraceId and tells the version on every kind of answer', async (t) => {
    const { http } = await start(t);
    const cases = [
      http.get('/'),
      http.post('/score').send({}),
      http.put('/score'),
      http.get('/none'),
      http.get('/swagger.json?version=9'),
      http.get('/livez'),
      http.get('/readyz'),
      http.get('/metrics'),
    ];
    for (const request of cases) {
      const { headers } = await request.set({ TraceId: 'trace', [A]: 'mine' });
      assert.equal(headers['traceid'], 'trace');
      assert.equal(headers[A], 'mine');
      assert.equal(headers[B], 'mine');
      assert.equal(headers['x-ms-server-version'], 'scoring-server/0.0.0');
      assert.ok(!('traceparent' in headers));
    }
  });

  it('lets options set or drop the version', async (t) => {
    const named = await start(t, { serverVersion: 'azmlinfsrv/1.5.1' });
    assert.equal((await named.http.get('/')).headers['x-ms-server-version'], 'azmlinfsrv/1.5.1');
    const silent = await start(t, { serverVersionHeader: false });
    assert.ok(!('x-ms-server-version' in (await silent.http.get('/')).headers));
  });
});

const trace = (traceparent: string | undefined, id = 'mine'): string =>
  readIds({ 'x-request-id': id, ...(traceparent !== undefined && { traceparent }) }).traceId;

describe('trace id', () => {
  it('comes from a valid traceparent', () => {
    for (const valid of [
      `00-${TRACE}-b7ad6b7169203331-01`,
      `01-${TRACE}-b7ad6b7169203331-01`,
      `cc-${TRACE}-b7ad6b7169203331-00-what-the-future-brings`,
    ]) {
      assert.equal(trace(valid), TRACE, valid);
    }
  });

  it('ignores an invalid traceparent', () => {
    for (const invalid of [
      '',
      'x',
      `ff-${TRACE}-b7ad6b7169203331-01`,
      `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
      `00-${TRACE}-0000000000000000-01`,
      `00-${TRACE}-b7ad6b7169203331-01-more`,
      `00-${TRACE.toUpperCase()}-b7ad6b7169203331-01`,
      `00-${TRACE}-b7ad6b7169203331`,
      `cc-${TRACE}-b7ad6b7169203331-01.more`,
      `00-${TRACE}-b7ad6b7169203331-01, 00-${TRACE}-b7ad6b7169203331-01`,
    ]) {
      assert.notEqual(trace(invalid), TRACE, invalid);
      assert.match(trace(invalid), /^[0-9a-f]{32}$/);
    }
  });

  it('is derived from a request id that is a random UUID', () => {
    assert.equal(trace(undefined, '0AF76519-16CD-43DD-8448-EB211C80319C'), TRACE);
    assert.equal(trace(undefined, '019acd1d-8448-7cd4-83dd-eb211c80319c'), '019acd1d84487cd483ddeb211c80319c');
    for (const fixed of ['00000000-0000-0000-0000-000000000000', '0af76519-16cd-11dd-8448-eb211c80319c'])
      assert.notEqual(trace(undefined, fixed), fixed.replaceAll('-', ''));
  });

  it('is the made request id, but for the digits that a UUID fixes', () => {
    const { id, traceId } = readIds({});
    const digits = id.replaceAll('-', '');
    for (const [from, to] of [
      [0, 12],
      [13, 16],
      [17, 32],
    ] as const)
      assert.equal(traceId.slice(from, to), digits.slice(from, to));
  });
});
