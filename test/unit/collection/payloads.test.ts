import assert from 'node:assert/strict';
import test from 'node:test';
import { mayCapture } from '../../../server/request/captured-headers.ts';
import { Capture } from '../../../server/collection/host/capture.ts';
import { Body, type ExchangeRecord } from '../../../server/collection/records.ts';
import { collect, noFiles } from './collect-records.ts';

const dataOf = async (type: string | undefined, body: string | Buffer): Promise<unknown> =>
  (await collect({ ...(type === undefined ? {} : { type }), body: [body] })).events[0]?.['data'];

test('a body of JSON stands in its record as it was sent: numbers keep their digits, lines their end', async () => {
  const { blocks } = await collect({ type: 'application/json', body: ['{"n": 12345678901234567890,\r\n', '"x": 0.10}'], answer: '[1]' });
  assert.match(blocks[0]?.data.toString() ?? '', /"data":\{"n": 12345678901234567890, {2}"x": 0\.10\},"correlationid":"id \\"1\\""/);
  assert.equal(blocks[0]?.data.toString().split('\n').length, 2);
});

test('bodies are read by their content type; what only claims to be JSON is a text', async () => {
  assert.deepEqual(await dataOf('application/json', '{"a"'), '{"a"');
  assert.deepEqual(await dataOf('application/vnd.x+json; charset=utf-8', '[1]'), [1]);
  assert.deepEqual(await dataOf('text/plain', 'a "b"\nc'), 'a "b"\nc');
  assert.deepEqual(await dataOf(undefined, '{"a":1}'), { a: 1 });
  assert.deepEqual(await dataOf('application/x-www-form-urlencoded', '{"a":1}'), { a: 1 });
});

test("a body with Python's bare NaN, which a worker took, is a text: its record stays JSON", async () => {
  for (const body of ['{"x": [NaN, 1]}', '[Infinity]', '{"x":-Infinity}', '{"s":"NaN","x":NaN}'])
    assert.equal((await collect({ type: 'application/json', body: [body], answer: '[1]' })).events[0]?.['data'], body);
  const { events } = await collect({ type: 'application/json', body: ['{"x":"NaN"}'], answer: '[1]' });
  assert.deepEqual(events[0]?.['data'], { x: 'NaN' });
});

test('the query of a request without a body is its data, but for what may be a key', async () => {
  const { events } = await collect({ method: 'GET', url: '/score?x=1&y=[1,2]&api_key=s&code=s&name=z', body: [] });
  assert.deepEqual([events[0]?.['data'], events[0]?.['path'], events[0]?.['method']], [{ x: 1, y: [1, 2], name: 'z' }, '/score', 'GET']);
});

test('values of the query stand in their record as the script gets them, each with its digits', async () => {
  const deep = '['.repeat(7000) + ']'.repeat(7000);
  const url = `/score?d=${deep}&n=12345678901234567890&t=[1,%0A2]&n=1&__proto__=x`;
  const { blocks } = await collect({ method: 'GET', url, body: [] });
  const data = `"data":{"d":"${deep}","n":[12345678901234567890,1],"t":[1, 2],"__proto__":"x"}`;
  assert.ok(blocks[0]?.data.toString().includes(data));
});

test('bytes are a file beside the lines, or base64 where the sink has no files', async () => {
  const bytes = Buffer.from([0xff, 0, 1, 2]);
  const { events, blocks } = await collect({ type: 'image/png', body: [bytes], answer: '1' });
  const request = events.find(({ type }) => type === 'azureml.inference.request');
  assert.match(String(request?.['data']), /^\/root\/é p\/blue\/\d{4}\/\d\d\/\d\d\/\d\d\/[0-9a-f-]{36}\.bin$/);
  assert.deepEqual([request?.['datainblob'], request?.['datacontenttype']], ['true', 'text/plain']);
  const payload = blocks.flatMap(({ payloads }) => payloads)[0];
  assert.deepEqual([payload?.contentType, payload?.body.equals(bytes)], ['image/png', true]);
  const inline = await collect({ type: 'image/png', body: [bytes], answer: '1' }, noFiles);
  assert.equal(inline.events.find(({ path }) => path !== undefined)?.['data_base64'], bytes.toString('base64'));
  const large = await collect({ type: 'image/png', body: [Buffer.alloc(2000)], answer: '1' }, noFiles);
  assert.equal(large.events.find(({ path }) => path !== undefined)?.['dataomitted'], 'size');
});

test('a body above 4 MB is a file that its line refers to; one above 32 MiB is left out', async () => {
  const json = JSON.stringify(['x'.repeat(5_000_000)]);
  const { events, blocks } = await collect({ type: 'application/json', body: [json.slice(0, 100), json.slice(100)], answer: '1' });
  const request = events.find(({ path }) => path !== undefined);
  assert.match(String(request?.['dataref']), /\.json$/);
  assert.equal(request?.['data'], undefined);
  assert.equal(blocks.flatMap(({ payloads }) => payloads)[0]?.body.toString(), json);
  const huge = await collect({ type: 'application/json', body: [Buffer.alloc(33 * 1024 * 1024)], answer: '1' });
  assert.equal(huge.events[0]?.['dataomitted'], 'size');
});

test('a stream that is too large for its record gives its memory back at once, and others are still recorded', () => {
  let held = 0;
  const records: ExchangeRecord[] = [];
  const keeper = {
    captureHeaders: [],
    hold: (bytes: number) => {
      if (held + bytes > 64 * 1024 * 1024) return false;
      held += bytes;
      return true;
    },
    release: (bytes: number) => void (held -= bytes),
    exchange: (record: ExchangeRecord) => void records.push(record),
  };
  const begin = (id: string): Capture => {
    const capture = new Capture(keeper, id, true, true);
    capture.received('application/json', [], [Buffer.from('{}')], 2);
    capture.answered('application/octet-stream', [], undefined);
    return capture;
  };
  const long = [begin('long'), begin('as long')];
  const piece = Buffer.alloc(1024 * 1024);
  for (let n = 0; n < 40; n++) for (const capture of long) capture.piece(piece);
  assert.equal(held, 4, 'what came in is still held');
  const small = begin('small');
  small.piece(Buffer.from('a'));
  small.piece(Buffer.from('b'));
  for (const capture of [small, ...long]) capture.end({ method: 'POST', url: '/score', status: 200 });
  assert.equal(held, 0);
  assert.deepEqual(
    records.map(({ id, response }) => [id, response.state, Buffer.concat(response.body).toString()]),
    [
      ['small', Body.kept, 'ab'],
      ['long', Body.tooLarge, ''],
      ['as long', Body.tooLarge, ''],
    ],
  );
});

test('a body that was never read says so, and the status is an attribute of the response', async () => {
  const { events } = await collect({ body: undefined, status: 413, answer: '{"message": "too large"}' });
  const [request, response] = events;
  assert.deepEqual([request?.['dataomitted'], request?.['data']], ['not-read', undefined]);
  assert.deepEqual([response?.['statuscode'], response?.['data']], [413, { message: 'too large' }]);
});

test('headers of the list are attributes, and the fixed names win', async () => {
  const { events } = await collect({ headers: ['X-Tenant', 'a"b', 'Other', 'c'], body: ['1'] });
  assert.equal(events[0]?.['xtenant'], 'a"b');
  assert.equal(events[0]?.['other'], undefined);
});

test('names that mean keys, tokens or cookies are never captured', () => {
  for (const name of [
    'Authorization',
    'Proxy-Authorization',
    'Cookie',
    'Set-Cookie',
    'X-API-Key',
    'api_key',
    'Ocp-Apim-Subscription-Key',
    'X-Functions-Key',
    'X-Auth-Token',
    'x-amz-security-token',
    'X-CSRF-Token',
    'client-secret',
  ])
    assert.equal(mayCapture(name), false, name);
  for (const name of ['x-tenant', 'user-agent', 'x-monkey', 'content-type', 'traceparent']) assert.equal(mayCapture(name), true, name);
});
