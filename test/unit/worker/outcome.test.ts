import assert from 'node:assert/strict';
import test from 'node:test';
import { chunkBytes, isIterator, isResponse, responseParts } from '../../../server/worker/outcome.ts';

/** The chunks of an outcome, as text. */
async function textOf(chunks: AsyncIterable<unknown> | Iterable<unknown> | undefined): Promise<string[]> {
  const texts: string[] = [];
  for await (const chunk of chunks ?? []) texts.push(String(chunkBytes(chunk)));
  return texts;
}

test('iterators stream; lists, maps, texts and promises are values', () => {
  const yes = [[1].values(), new Map().entries(), (function* () {})(), (async function* () {})(), { [Symbol.asyncIterator]: 1 }];
  for (const value of yes) assert.equal(isIterator(value), true);
  for (const value of [[1], new Map(), new Set(), 'text', Promise.resolve(), null, undefined, { next: () => 1 }, () => 1])
    assert.equal(isIterator(value), false);
});

test('a Response is known by its tag, whatever copy of the class it is of', () => {
  assert.equal(isResponse(new Response()), true);
  assert.equal(isResponse({ [Symbol.toStringTag]: 'Response' }), true);
  for (const value of [{ status: 200 }, null, 'Response', new Request('http://localhost')]) assert.equal(isResponse(value), false);
});

test('a Response whose body is complete is one answer, with the content type of its contract where it has none', async () => {
  const cases: [response: Response, type: string | undefined, body: string][] = [
    [new Response('<p>'), 'text/plain;charset=UTF-8', '<p>'],
    [new Response(Buffer.from('bytes')), 'text/html; charset=utf-8', 'bytes'],
    [new Response(''), 'text/plain;charset=UTF-8', ''],
    [new Response(null), 'application/json', '{}'],
    [new Response(null, { status: 204 }), undefined, ''],
    [Response.json({ a: 1 }, { status: 201 }), 'application/json', '{"a":1}'],
  ];
  for (const [response, type, expected] of cases) {
    const { status, headers, body, chunks } = await responseParts(response);
    assert.equal(status, response.status);
    assert.equal(headers?.find(([name]) => name === 'content-type')?.[1], type);
    assert.deepEqual([String(body), chunks], [expected, undefined]);
  }
});

test('a Response whose body is still being made streams, and its source is ended when its reader stops', async () => {
  let ended = false;
  const pulls: ReadableStreamDefaultController<Uint8Array>[] = [];
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      pulls.push(controller);
      controller.enqueue(Buffer.from('first'));
    },
    cancel: () => {
      ended = true;
    },
  });
  const { chunks } = await responseParts(new Response(body));
  assert.ok(chunks !== undefined);
  pulls[0]?.enqueue(Buffer.from('second'));
  const texts: string[] = [];
  for await (const chunk of chunks) {
    texts.push(String(chunkBytes(chunk)));
    if (texts.length === 2) break;
  }
  assert.deepEqual(texts, ['first', 'second']);
  assert.equal(ended, true);
});

test('the rest of a body that streams comes after its first chunk, to the end', async () => {
  const source = (async function* () {
    for (const text of ['a', 'b', 'c']) {
      await new Promise(setImmediate);
      await new Promise(setImmediate);
      yield Buffer.from(text);
    }
  })();
  const { chunks } = await responseParts(new Response(ReadableStream.from(source)));
  assert.deepEqual(await textOf(chunks), ['a', 'b', 'c']);
});

test('a Response that HTTP cannot carry, or whose body is gone, is refused by name', async () => {
  const used = new Response('x');
  await used.text();
  await assert.rejects(responseParts(used), TypeError);
  const odd = Object.defineProperty(new Response('x'), 'status', { value: 99 });
  await assert.rejects(responseParts(odd), { code: 'result_not_http', message: /the status 99: expected 200 to 599/ });
});

test('bytes of a chunk: of texts, of every view, of buffers; nothing else has any', () => {
  assert.equal(chunkBytes('ü')?.length, 2);
  assert.equal(chunkBytes(Float32Array.of(1, 2))?.length, 8);
  assert.equal(chunkBytes(new DataView(new ArrayBuffer(8), 2, 3))?.length, 3);
  assert.equal(chunkBytes(new ArrayBuffer(5))?.length, 5);
  assert.equal(chunkBytes(new SharedArrayBuffer(6))?.length, 6);
  for (const value of [1, null, undefined, {}, [1]]) assert.equal(chunkBytes(value), undefined);
});
