import assert from 'node:assert/strict';
import test from 'node:test';
import { queryAsBody, redactable, withoutQuery, withRedacted } from '../../../../server/collection/host/redactable-record.ts';
import { Body, type BodyState, type ExchangeRecord, type Side } from '../../../../server/collection/records.ts';

const side = (text: string, state: BodyState = Body.kept): Side => ({
  state,
  contentType: 'text/plain',
  headers: ['x-tenant', 'a'],
  body: text === '' ? [] : [Buffer.from(text)],
  bodyBytes: text.length,
});
const record = (url: string, request: Side, response = side('')): ExchangeRecord => ({
  time: 0,
  id: 'i',
  method: 'GET',
  url,
  status: 200,
  request,
  response,
});
const textOf = (made: ExchangeRecord): (string | undefined)[] => redactable(made).map(({ body }) => Buffer.concat(body).toString());

test('the query is the body of a request that has none, as the object that run() gets', () => {
  const made = queryAsBody(record('/score?name=SECRET&x=[1,2]&a=1&a=2&sig=KEY', side('')));
  assert.deepEqual(textOf(made), ['{"name":"SECRET","x":[1,2],"a":[1,2]}']);
  assert.deepEqual([made.request.contentType, made.request.bodyBytes], ['application/json', 37]);
  assert.deepEqual(made.request.headers, ['x-tenant', 'a']);
  assert.deepEqual(textOf(queryAsBody(record('/score?', side('')))), ['{}']);
});

test('a request with a body, or without a query, keeps its own body', () => {
  for (const [url, text] of [
    ['/score?name=SECRET', 'body'],
    ['/score', 'body'],
    ['/score', ''],
  ] as const)
    assert.deepEqual(textOf(queryAsBody(record(url, side(text)))), text === '' ? [] : [text]);
  for (const state of [Body.notRead, Body.tooLarge, Body.notCollected])
    assert.deepEqual(textOf(queryAsBody(record('/score?name=SECRET', side('', state)))), []);
});

test('no URL of a record keeps its query', () => {
  assert.equal(withoutQuery(record('/score?name=SECRET?x', side('body'))).url, '/score');
  assert.equal(withoutQuery(record('/score', side('body'))).url, '/score');
});

test('results belong to the bodies that were redacted: an empty body is none of them', () => {
  const given = record('/score', side(''), side('answer'));
  const bodies = redactable(given);
  assert.deepEqual(
    bodies.map(({ collection }) => collection),
    ['response'],
  );
  const made = withRedacted(given, bodies, [{ contentType: 'application/json', body: Buffer.from('{}') }]);
  assert.deepEqual([made.request.state, made.request.bodyBytes], [Body.kept, 0]);
  assert.deepEqual([made.response.contentType, String(made.response.body), made.response.bodyBytes], ['application/json', '{}', 2]);
  for (const result of [undefined, 'hook_failed'] as const)
    assert.deepEqual(withRedacted(given, bodies, [result]).response, {
      ...given.response,
      state: Body.notRedacted,
      body: [],
      bodyBytes: 0,
    });
});
