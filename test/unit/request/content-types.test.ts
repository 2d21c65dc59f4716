import assert from 'node:assert/strict';
import test from 'node:test';
import { textType } from '../../../server/request/content-types.ts';

test('text is known by its media type, whatever its parameters and case', () => {
  const row = textType('application/json');
  assert.deepEqual(row, { compressed: true, exported: true });
  for (const type of ['application/json; charset=utf-8', 'Application/JSON;x', 'application/problem+json', 'application/a+b+json ;x'])
    assert.deepEqual(textType(type), row, type);
  for (const type of ['text/plain', 'TEXT/html; charset=utf-8', 'text/']) assert.deepEqual(textType(type), row, type);
  assert.deepEqual(textType('application/atom+xml'), textType('application/xml'));
});

test('columns of the table', () => {
  const types = ['json', 'jsonl', 'ndjson', 'x-ndjson', 'xml', 'yaml', 'x-yaml', 'javascript', 'sql', 'x-www-form-urlencoded'];
  const rows = types.map((type) => [type, textType(`application/${type}`)] as const);
  assert.deepEqual(
    rows.filter(([, row]) => row?.compressed).map(([type]) => type),
    ['json', 'ndjson', 'x-ndjson', 'xml', 'yaml', 'javascript'],
  );
  assert.deepEqual(
    rows.filter(([, row]) => row?.exported).map(([type]) => type),
    ['json', 'jsonl', 'x-www-form-urlencoded'],
  );
});

test('anything else is bytes', () => {
  for (const type of ['', 'application', 'application/', 'application/jsonp', 'application/octet-stream', 'application/json+zip'])
    assert.equal(textType(type), undefined, type);
  for (const type of ['image/svg+xml', 'json', 'x/text/plain', 'application/json garbage']) assert.equal(textType(type), undefined, type);
});
