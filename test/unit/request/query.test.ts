import assert from 'node:assert/strict';
import test from 'node:test';
import { filteredQuery, queryJson } from '../../../server/request/query.ts';
import { decodeQuery } from '../../../server/worker/codecs/content-types.ts';
import { MOST_LEVELS } from '../../../server/guards/nesting.ts';

/** The object that a script gets. */
const scripts = (url: string): unknown => Object.fromEntries(Object.entries(decodeQuery(url, false)));
const recorded = (url: string): unknown => JSON.parse(queryJson(url) ?? 'null');

const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);

test('what is recorded of a query is what the script gets', () => {
  for (const query of [
    'a=1&a=2',
    'a=1&b=x&a=[2]&a=%22three%22',
    '__proto__=1&constructor=2&__proto__=3&toString=x',
    'empty=&none&=value&empty=',
    'plus=a+b&%2B=%2b&space=%20',
    'bad=%zz&half=%e4%b8&%=1&%c3%28=%ff',
    '7=seven&b=1&007=x&1=one',
    'line=[1,%0A2]&text=a%0Ab&nul=%00&quote=%22%27',
    'ä=ö&%F0%9F%98%80=1&%ED%A0%80=x',
    'a=1&&b=2&',
    'n=NaN&t=true&f=False&z=null&d=1.50&e=1e400',
    '?a=1',
    'a=1?b=2#c=3',
    '',
    `deep=${nested(MOST_LEVELS)}&deeper=${nested(MOST_LEVELS + 1)}&far=${nested(7000)}`,
  ])
    assert.deepEqual(recorded(`/score?${query}`), scripts(`/score?${query}`), query.slice(0, 100));
  assert.deepEqual(recorded('/score?a=1&a=2&b=x&b='), { a: [1, 2], b: ['x', ''] });
  assert.equal(queryJson('/score'), undefined);
  assert.equal(queryJson('/score?'), '{}');
});

test('JSON in a query keeps its digits, and the text has one line', () => {
  assert.equal(queryJson('/score?n=12345678901234567890&n=0.10&t=[1,%0D%0A2]'), '{"n":[12345678901234567890,0.10],"t":[1,  2]}');
});

test('names that may be keys are neither recorded nor reported, however they are written', () => {
  const keys = [
    'code',
    'Code',
    'sig',
    '%63ode',
    'api_key',
    'apiKey',
    'x-functions-key',
    'functionKey',
    'AWSAccessKeyId',
    'token',
    'password',
  ];
  for (const pair of keys.map((name) => `${name}=SECRET`)) {
    const url = `/score?x=1&${pair}&x=2&${pair}&y=`;
    assert.deepEqual(recorded(url), { x: [1, 2], y: '' }, pair);
    assert.equal(filteredQuery(url), 'x=1&x=2&y=', pair);
    assert.equal(filteredQuery(`/score?${pair}`), '', pair);
  }
});

test('the rest of a query is reported as it was sent', () => {
  for (const query of ['a=1&a=2', 'a=%zz&b=+%20&&c', 'monkey=1&keyboard=2&codec=3&design=4', '=', ''])
    assert.equal(filteredQuery(`/score?${query}`), query);
  assert.equal(filteredQuery('/score'), '');
});
