import fc from 'fast-check';
import assert from 'node:assert/strict';
import test from 'node:test';
import { FrameError } from '../../../server/ipc/frames.ts';
import { checkCollect } from '../../../server/ipc/collected-rows.ts';
import { PROTOCOL_VERSION } from '../../../server/ipc/kinds.ts';
import { MOST_MESSAGE_BYTES } from '../../../server/ipc/limits.ts';
import { readRedact, readRedacted } from '../../../server/ipc/redaction.ts';
import { readStart } from '../../../server/ipc/start-message.ts';
import { messages } from '../../../server/ipc/worker-messages.ts';

const model = {
  name: 'm',
  inputs: [{ name: 'x', type: 'float32', dims: ['', 4] }],
  outputs: [],
  provider: 'cpu',
  intraOpThreads: 1,
  ortVersion: '1',
  loadSeconds: 0.5,
  batching: { merges: true, reason: 'proven' },
};
/** What the worker of a script without a model says. */
const script = { rawHttp: false, parsesJson: false, redacts: false, concurrency: 1, models: [] };

const right: Record<keyof typeof messages, unknown[]> = {
  failure: [{ code: 'run_failed', message: 'm' }],
  log: [
    { level: 'info', msg: 'm' },
    { level: 'warn', msg: '', requestId: 'r', traceId: 't', spanId: 's', fields: { a: [1] } },
  ],
  times: [{ at: 1, ms: 2, inferences: [{ model: 'm', at: 1, ms: 0.5, rows: 3 }] }],
  metrics: [
    { defined: [], changes: [] },
    {
      defined: [
        { kind: 'counter', name: 'a_total', help: 'h', labels: ['x'] },
        { kind: 'histogram', name: 'b', help: 'h', labels: [], buckets: [1, 2] },
      ],
      changes: [{ name: 'b', labels: [], value: -1e308, counts: [1, 0, 2] }],
    },
  ],
  trying: [{ model: 'm' }, {}],
  ready: [
    { rawHttp: false, parsesJson: true, redacts: false, concurrency: 1, models: [model] },
    { rawHttp: true, parsesJson: false, redacts: true, concurrency: 9, models: [], example: '{"x":1}' },
    { ...script, runtime: 'Python 3.12.1 (/usr/bin/python3)', schemas: { input: {}, output: {}, versions: ['3', '3.1'] } },
  ],
  loaded: [model],
  notCollected: [[], [{ collection: 'model_inputs', reason: 'sampled_out', count: 3 }]],
};
/** A version is compared before the form: it is always the right one here. */
const read = (name: keyof typeof messages, value: unknown): unknown =>
  messages[name](
    Buffer.from(JSON.stringify(name === 'ready' && typeof value === 'object' ? { version: PROTOCOL_VERSION, ...value } : value)),
  );

test('what a script declares has a bounded depth, and is an object', () => {
  const nested = (levels: number): unknown => JSON.parse(`${'{"a":'.repeat(levels - 1)}{}${'}'.repeat(levels - 1)}`);
  const ready = (input: unknown): unknown => read('ready', { ...script, schemas: { input, output: {}, versions: [] } });
  assert.ok(ready(nested(1000)));
  for (const input of [nested(1001), nested(3000), [], null, 'x']) assert.throws(() => ready(input), FrameError);
});

test('messages of the right form are read as they are', () => {
  for (const [name, values] of Object.entries(right))
    for (const value of values) assert.deepEqual(read(name as keyof typeof messages, value), value, name);
});

/** Everything that one change makes of a value: a member gone, or of another type. */
function* changed(value: unknown): Generator {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, member] of Object.entries(value)) {
    for (const other of [null, typeof member === 'string' ? 7 : 'odd', typeof member === 'boolean' ? 0 : true])
      yield Array.isArray(value) ? value.with(Number(key), other) : { ...value, [key]: other };
    for (const below of changed(member)) yield Array.isArray(value) ? value.with(Number(key), below) : { ...value, [key]: below };
  }
}

test('one member of another type makes another form', () => {
  for (const [name, values] of Object.entries(right)) {
    for (const value of values) {
      const free = name === 'log' ? /"fields":\{/ : /^$/;
      for (const other of changed(value)) {
        if (
          free.test(JSON.stringify(other)) &&
          JSON.stringify({ ...(other as object), fields: {} }) === JSON.stringify({ ...(value as object), fields: {} })
        )
          continue;
        // A size of a tensor is a number or a name.
        if (/"dims":\[[^\]]*(?:"odd"|7)/.test(JSON.stringify(other))) continue;
        assert.throws(() => read(name as keyof typeof messages, other), FrameError, `${name}: ${JSON.stringify(other)}`);
      }
    }
  }
});

test('random JSON and random bytes are a message or the one error', () => {
  const payload = fc.oneof(
    fc.json().map((text) => Buffer.from(text)),
    fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)),
  );
  const readers = [...Object.values(messages), checkCollect, readRedact, readStart, (bytes: Buffer) => readRedacted(bytes, 1)];
  fc.assert(
    fc.property(payload, fc.constantFrom(...readers), (bytes, reader) => {
      try {
        reader(bytes);
      } catch (error) {
        assert.ok(error instanceof FrameError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});

test('a message that is too long is refused before it is parsed', () => {
  assert.throws(() => messages.log(Buffer.alloc(MOST_MESSAGE_BYTES + 1, 0x20)), /of 4194305 bytes: expected at most 4194304/);
});

function prefixed(head: unknown, rest: string): Buffer {
  const text = JSON.stringify(head);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(Buffer.byteLength(text));
  return Buffer.concat([length, Buffer.from(text + rest)]);
}

test('bodies that were redacted must be there, as many as were asked for', () => {
  const body = { contentType: 'text/plain', bytes: 2 };
  assert.equal(readRedacted(prefixed([body, null, 'hook_failed'], 'ab'), 3).heads.length, 3);
  for (const [heads, rest] of [
    [[body], 'a'],
    [[body], 'abc'],
    [[body, body], 'abcd'],
    [['worker_lost'], ''],
    [[{ contentType: 'x', bytes: -1 }], ''],
  ] as const)
    assert.throws(() => readRedacted(prefixed(heads, rest), 1), FrameError, JSON.stringify(heads));
});

test('bodies to redact are those that the head lists, whatever a script made of Buffer', () => {
  const head = { id: 'i', sides: [{ collection: 'request', contentType: 'text/plain', bytes: 2 }] };
  const payload = prefixed(head, 'ab');
  const own = Object.getOwnPropertyDescriptor(Buffer.prototype, 'subarray');
  assert.ok(own !== undefined);
  Object.defineProperty(Buffer.prototype, 'subarray', { ...own, value: () => Buffer.alloc(0) });
  try {
    const { bodies } = readRedact(payload);
    assert.deepEqual(bodies.map(String), ['ab']);
  } finally {
    Object.defineProperty(Buffer.prototype, 'subarray', own);
  }
  for (const wrong of [prefixed(head, 'a'), prefixed(head, 'abc'), prefixed({ id: 'i' }, ''), Buffer.of(9, 0, 0, 0)])
    assert.throws(() => readRedact(wrong), FrameError);
});

test('rows of a collector need a name, a head and a list', () => {
  const frame = (name: string, head: unknown, rows: string): Buffer =>
    Buffer.concat([Uint8Array.of(name.length), Buffer.from(name), prefixed(head, rows)]);
  const head = { id: 'i', time: 1, headers: { a: 'b' }, v1: 'inputs' };
  checkCollect(frame('model_inputs', head, '[{}]'));
  for (const payload of [
    frame('', head, '[]'),
    frame('Name', head, '[]'),
    frame('n', { ...head, time: null }, '[]'),
    frame('n', { ...head, headers: { a: 1 } }, '[]'),
    frame('n', head, ''),
    frame('n', head, '{}'),
  ])
    assert.throws(() => checkCollect(payload), FrameError);
});
