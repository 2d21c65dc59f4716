import assert from 'node:assert/strict';
import test from 'node:test';
import { LastResort } from '../../../server/host/last-resort.ts';

function lastResort(): { take: (thrown: unknown) => void; warned: Record<string, unknown>[]; counted: string[]; fatal: unknown[] } {
  const warned: Record<string, unknown>[] = [];
  const counted: string[] = [];
  const fatal: unknown[] = [];
  const log = { warn: (fields: Record<string, unknown>) => void warned.push(fields) } as ConstructorParameters<typeof LastResort>[0]['log'];
  const resort = new LastResort({ log, count: (code) => void counted.push(code), fatal: (thrown) => void fatal.push(thrown) });
  return { take: (thrown) => resort.take(thrown), warned, counted, fatal };
}

const withCode = (code: unknown): Error => Object.assign(new Error('x'), { code });

test('errors of connections are counted and logged with their stack, and end nothing', () => {
  for (const [code, label = code] of [
    ['ECONNRESET'],
    ['EPIPE'],
    ['ECONNABORTED'],
    ['ENOTCONN'],
    ['ETIMEDOUT'],
    ['EMFILE'],
    ['ENFILE'],
    ['ERR_STREAM_DESTROYED', 'ERR_STREAM'],
    ['ERR_STREAM_WRITE_AFTER_END', 'ERR_STREAM'],
    ['ERR_SOCKET_CLOSED', 'ERR_SOCKET_CLOSED'],
    ['ERR_SOCKET_CLOSED_BEFORE_CONNECTION', 'ERR_SOCKET_CLOSED'],
    ['ERR_HTTP2_INVALID_STREAM', 'ERR_HTTP2'],
  ] as const) {
    const { take, warned, counted, fatal } = lastResort();
    const error = withCode(code);
    take(error);
    assert.deepEqual([warned, counted, fatal], [[{ code, skipped: 0, err: error }], [label], []]);
  }
});

test('a flood of them is one line a second, and each is counted', () => {
  const { take, warned, counted } = lastResort();
  for (let count = 0; count < 1000; count++) take(withCode('ECONNRESET'));
  assert.deepEqual([warned.length, counted.length], [1, 1000]);
});

test('everything else is fatal, whatever was thrown', () => {
  const { take, counted, fatal } = lastResort();
  const all = [
    new TypeError('x'),
    withCode('ERR_INVALID_CHAR'),
    withCode('ENOENT'),
    withCode('ERR_STREAMS'),
    withCode(5),
    undefined,
    null,
    'ECONNRESET',
    { code: 'ECONNRESET' },
  ];
  for (const thrown of all) take(thrown);
  assert.deepEqual([counted, fatal], [[], all]);
});
