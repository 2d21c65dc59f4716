import assert from 'node:assert/strict';
import test from 'node:test';
import { jsonText, logText, metricTexts } from '../../../server/ipc/message-text.ts';
import { MOST_MESSAGE_BYTES } from '../../../server/ipc/limits.ts';

const line = (msg: unknown, fields?: unknown): Record<string, unknown> =>
  JSON.parse(logText({ level: 'info', msg: msg as string, fields: fields as Record<string, unknown> })) as Record<string, unknown>;

test('a line has a text and an object of fields, whatever a script gave', () => {
  const trap = (): never => {
    throw new Error('a trap');
  };
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  assert.deepEqual(line('m', { a: 1 }), { level: 'info', msg: 'm', fields: { a: 1 } });
  assert.equal(line(Symbol('s'))['msg'], 'Symbol(s)');
  assert.equal(line(undefined)['msg'], 'undefined');
  assert.deepEqual(line('m', new Date(0))['fields'], { fields: '1970-01-01T00:00:00.000Z' });
  assert.deepEqual(line('m', 'text')['fields'], { fields: 'text' });
  assert.deepEqual(line('m', null)['fields'], { fields: null });
  assert.deepEqual(line('m', [1])['fields'], { fields: [1] });
  for (const fields of [{ a: 1n }, { toJSON: trap }, revoked.proxy, new Proxy({}, { get: trap })])
    assert.deepEqual(line('m', fields)['fields'], { fieldsLeftOut: 'they have no JSON form' });
});

test('a line is no longer than a message may be', () => {
  for (const text of ['x', '\u0000', '☃']) {
    assert.ok(Buffer.byteLength(logText({ level: 'info', msg: text.repeat(5_000_000) })) <= MOST_MESSAGE_BYTES);
    assert.ok(Buffer.byteLength(logText({ level: 'info', msg: 'm', fields: { text: text.repeat(5_000_000) } })) <= MOST_MESSAGE_BYTES);
  }
});

test('a report that is too long is sent in parts; only a series that is too long by itself is lost', () => {
  const changes = Array.from({ length: 3000 }, (_, at) => ({ name: 'n', labels: [String(at), 'x'.repeat(1000)], value: at }));
  const defined = [{ kind: 'gauge' as const, name: 'n', help: 'h', labels: ['a', 'b'] }];
  const texts = metricTexts({ defined, changes: [...changes, { name: 'n', labels: ['x'.repeat(3_000_000), ''], value: 1 }] });
  assert.ok(texts.length > 2 && texts.every((text) => Buffer.byteLength(text) <= MOST_MESSAGE_BYTES));
  const parts = texts.map((text) => JSON.parse(text) as { defined: unknown[]; changes: unknown[] });
  assert.deepEqual(parts[0]?.defined, defined, 'definitions first');
  assert.deepEqual(
    parts.flatMap((part) => part.changes),
    changes,
  );
});

test('toJSON of all objects and lists is ignored, that of a class is called', () => {
  const value = { at: new Date(0), list: [1, 'a', undefined], nothing: undefined, inner: { text: '"' } };
  const expected = JSON.stringify(value);
  for (const prototype of [Object.prototype, Array.prototype]) {
    Object.defineProperty(prototype, 'toJSON', { value: () => 'polluted', configurable: true, writable: true });
    try {
      assert.equal(jsonText(value), expected);
      assert.equal(jsonText([value]), `[${expected}]`);
    } finally {
      delete (prototype as { toJSON?: unknown }).toJSON;
    }
  }
});
