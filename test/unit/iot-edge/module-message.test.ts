import assert from 'node:assert/strict';
import test from 'node:test';
import { readMessage } from '../../../server/iot-edge/module-message.ts';
import type { SdkMessage } from '../../../server/iot-edge/sdk.ts';

interface Given {
  readonly data?: unknown;
  readonly messageId?: string;
  readonly correlationId?: string;
  readonly contentType?: string;
  readonly properties?: Readonly<Record<string, string>>;
}

function messageOf({ data = Buffer.from('1'), messageId = '', correlationId = '', contentType, properties = {} }: Given): SdkMessage {
  const propertyList = Object.entries(properties).map(([key, value]) => ({ key, value }));
  return { data, messageId, correlationId, contentType, properties: { propertyList, add: () => true } };
}
const read = (given: Given): ReturnType<typeof readMessage> => readMessage(messageOf(given));

test('a message without properties is JSON, and gets an id for its request', () => {
  const { contentType, messageId, correlationId, requestId, rawHeaders, identified, body } = read({});
  assert.deepEqual([contentType, messageId, correlationId, identified, String(body)], ['application/json', '', '', false, '1']);
  assert.match(requestId, /^[0-9a-f-]{36}$/);
  assert.deepEqual(rawHeaders, ['content-type', 'application/json']);
});

test('what a header cannot carry is left out', () => {
  for (const bad of ['a\nb', 'a\0b', '€', 'x'.repeat(129)]) {
    const { messageId, correlationId, identified } = read({ messageId: bad, correlationId: bad });
    assert.deepEqual([messageId, correlationId, identified], ['', '', false]);
  }
  assert.equal(read({ contentType: 'text/plain\nx: y' }).contentType, 'application/json');
  assert.equal(read({ contentType: 'text/csv' }).contentType, 'text/csv');
  const { rawHeaders } = read({ properties: { 'a b': '1', 'a\nb': '2', c: 'x\ny', d: 'good' } });
  assert.deepEqual(rawHeaders.slice(2), ['iothub-app-d', 'good']);
});

test('an id that is too long for a request stays the id of the message', () => {
  const messageId = 'x'.repeat(101);
  const message = read({ messageId });
  assert.equal(message.messageId, messageId);
  assert.notEqual(message.requestId, messageId);
  assert.equal(read({ messageId: 'x' }).requestId, 'x');
});

test('a script gets at most a hundred properties', () => {
  const properties = Object.fromEntries(Array.from({ length: 500 }, (_, number) => [`p${number}`, '1']));
  assert.equal(read({ properties }).rawHeaders.length, 2 + 200);
});

test('two messages are one if id, sender and body are the same, whatever trace a delivery has', () => {
  const { key } = read({ messageId: 'a', properties: { '$.cdid': 'd', traceparent: '1' } });
  assert.equal(read({ messageId: 'a', properties: { '$.cdid': 'd', traceparent: '2' } }).key, key);
  const others = [
    read({ messageId: 'b', properties: { '$.cdid': 'd' } }),
    read({ messageId: 'a', properties: { '$.cdid': 'e' } }),
    read({ messageId: 'a', properties: { '$.cdid': 'd', '$.cmid': 'm' } }),
    read({ messageId: 'a', data: Buffer.from('2'), properties: { '$.cdid': 'd' } }),
  ];
  assert.equal(new Set([key, ...others.map((other) => other.key)]).size, 5);
});

test('data that are no bytes count as none', () => {
  assert.equal(read({ data: 'text' }).body.length, 0);
});
