import assert from 'node:assert/strict';
import test from 'node:test';
import { Readable } from 'node:stream';
import type { HeaderPairs } from '../../../server/ipc/header-fields.ts';
import { type BodySource, chunkBytes, isResponse, responseParts } from '../../../server/worker/outcome.ts';

/** The body of a Response that has one. */
function bodyOf(response: Response): BodySource {
  const { body } = responseParts(response);
  assert.ok(typeof body === 'object');
  return body;
}

async function textOf({ source }: BodySource): Promise<string> {
  let text = '';
  for (let step = await source.next(); step.done !== true; step = await source.next()) text += String(chunkBytes(step.value));
  return text;
}

test('a Response is known by its tag, whatever copy of the class it is of', () => {
  assert.equal(isResponse(new Response()), true);
  assert.equal(isResponse({ [Symbol.toStringTag]: 'Response' }), true);
  for (const value of [{ status: 200 }, null, 'Response', new Request('http://localhost')]) assert.equal(isResponse(value), false);
});

test('a Response has the content type of its contract where it has none', async () => {
  const cases: [response: Response, type: string | undefined, body: string][] = [
    [new Response('<p>'), 'text/plain;charset=UTF-8', '<p>'],
    [new Response(Buffer.from('bytes')), 'text/html; charset=utf-8', 'bytes'],
    [new Response(''), 'text/plain;charset=UTF-8', ''],
    [new Response(null), 'application/json', '{}'],
    [new Response(null, { status: 204 }), undefined, ''],
    [Response.json({ a: 1 }, { status: 201 }), 'application/json', '{"a":1}'],
  ];
  for (const [response, type, expected] of cases) {
    const { status, headers, body } = responseParts(response);
    assert.equal(status, response.status);
    assert.equal(headers.find(([name]) => name === 'content-type')?.[1], type);
    assert.equal(typeof body === 'string' ? body : await textOf(body), expected);
  }
});

test('a Response that HTTP cannot carry, or whose body is gone, is refused by name', async () => {
  const used = new Response('x');
  await used.text();
  assert.throws(() => responseParts(used), TypeError);
  const read = new Response('x');
  read.body?.getReader();
  assert.throws(() => responseParts(read), TypeError);
  assert.throws(() => responseParts(odd(new Response('x'))), { code: 'result_not_http', message: /the status 99: expected 200 to 599/ });
  const shaped = { [Symbol.toStringTag]: 'Response', status: 200, headers: [], body: { a: 1 } } as unknown as Response;
  assert.throws(() => responseParts(shaped), { name: 'TypeError', message: /body is an object: expected a ReadableStream or a Readable/ });
});

const odd = (response: Response): Response => Object.defineProperty(response, 'status', { value: 99 });

test('a body that is not sent is ended', () => {
  let ended = '';
  const body = (): ReadableStream => new ReadableStream({ cancel: (reason) => void (ended = String(reason)) });
  assert.throws(() => responseParts(odd(new Response(body()))));
  assert.match(ended, /the status 99/);
  ended = '';
  assert.throws(() => responseParts(new Response(body(), { headers: { 'x-a': '\u0001' } })));
  assert.match(ended, /the header x-a/);
  const readable = new Readable({ read: () => undefined });
  assert.equal(responseParts(foreign(readable, [], 204)).body, '');
  assert.equal(readable.destroyed, true);
});

/** As classes of packages look: the tag, and a body that is a Readable. */
function foreign(body: Readable, headers: unknown, status = 200): Response {
  return { [Symbol.toStringTag]: 'Response', status, headers, body, bodyUsed: false, url: 'http://localhost/' } as unknown as Response;
}

test('headers of the connection and of the transfer are not passed on', () => {
  const headers: HeaderPairs = [
    ['Connection', 'close, X-Hop'],
    ['X-Hop', '1'],
    ['Keep-Alive', 'timeout=5'],
    ['Proxy-Authenticate', 'Basic'],
    ['TE', 'trailers'],
    ['Trailer', 'x-sum'],
    ['Transfer-Encoding', 'chunked'],
    ['Upgrade', 'h2c'],
    ['Content-Length', '3'],
    ['Content-Type', 'text/csv'],
    ['X-Mine', 'yes'],
  ];
  assert.deepEqual(responseParts(foreign(Readable.from(['a']), headers)).headers, [
    ['content-type', 'text/csv'],
    ['x-mine', 'yes'],
  ]);
});

test('several cookies stay several, also those of a class that joins them', () => {
  const cookies = [
    ['set-cookie', 'a=1'],
    ['set-cookie', 'b=2; Expires=Wed, 21 Oct 2026 07:28:00 GMT'],
  ];
  const own = new Headers(cookies as [string, string][]);
  const joined = {
    raw: () => ({ 'Set-Cookie': cookies.map(([, value]) => value) }),
    *[Symbol.iterator]() {
      yield ['set-cookie', cookies.map(([, value]) => value).join(', ')];
    },
  };
  for (const headers of [own, joined])
    assert.deepEqual(
      responseParts(foreign(Readable.from(['a']), headers)).headers.filter(([name]) => name === 'set-cookie'),
      cookies,
    );
});

test('a content encoding is undecided until the body is seen, unless fetch has decoded it', () => {
  const encoded = (url: string, encoding: string): Response =>
    Object.defineProperty(new Response('x', { headers: { 'content-encoding': encoding } }), 'url', { value: url });
  const cases: [response: Response, undecided: string | undefined][] = [
    [encoded('http://localhost/', 'gzip'), undefined],
    [encoded('http://localhost/', 'deflate, BR'), undefined],
    [encoded('http://localhost/', 'zstd'), 'zstd'],
    [encoded('http://localhost/', 'identity'), undefined],
    [encoded('', 'gzip'), 'gzip'],
    [encoded('', 'identity'), undefined],
    [foreign(Readable.from(['a']), [['Content-Encoding', 'gzip']]), 'gzip'],
  ];
  for (const [response, undecided] of cases) {
    assert.equal(bodyOf(response).encoding, undecided);
    assert.ok(responseParts(foreign(Readable.from(['a']), [...response.headers])).headers.every(([name]) => name !== 'content-encoding'));
  }
  assert.deepEqual(responseParts(new Response(null, { headers: { 'content-encoding': 'gzip' } })).headers, [
    ['content-type', 'application/json'],
  ]);
});

test('bytes of a chunk: of texts, of every view, of buffers; nothing else has any', () => {
  assert.equal(chunkBytes('ü')?.length, 2);
  assert.equal(chunkBytes(Float32Array.of(1, 2))?.length, 8);
  assert.equal(chunkBytes(new DataView(new ArrayBuffer(8), 2, 3))?.length, 3);
  assert.equal(chunkBytes(new ArrayBuffer(5))?.length, 5);
  assert.equal(chunkBytes(new SharedArrayBuffer(6))?.length, 6);
  for (const value of [1, null, undefined, {}, [1]]) assert.equal(chunkBytes(value), undefined);
});
