import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import test from 'node:test';
import { createContext, runInContext } from 'node:vm';
import { bareStack, describeThrown, fieldsOfError, stackOfThrown } from '../../../server/guards/thrown.ts';

test('an error is shown with its fields, its causes and the errors that it holds, each once', () => {
  const inner = Object.assign(new RangeError('inner'), { code: 'E_INNER', detail: { list: [1, 'two'] } });
  const text = stackOfThrown(new Error('outer', { cause: new AggregateError([inner, 'a text'], 'several', { cause: inner }) }));
  assert.match(text, /^Error: outer\n {4}at .*thrown\.test\.ts/);
  assert.match(text, /\n {2}\[cause\]: AggregateError: several\n {6}at /);
  assert.match(text, /RangeError: inner\n +at [\s\S]*code: 'E_INNER',\n +detail: \{ list: \[ 1, 'two' \] \}/);
  assert.match(text, /'a text'/);
  assert.match(text, /\[shown above\]/);
  assert.equal(text.match(/RangeError: inner/g)?.length, 1);
});

test('an error has the name of its class, and the message that it was given last', () => {
  class Missing extends Error {}
  class Named extends TypeError {
    override name = 'OwnName';
  }
  const changed = new Error('first');
  changed.message = 'then: first';
  const other = new Error('first');
  assert.match(String(other.stack), /first/, 'V8 writes the stack when it is read first');
  other.message = 'second';
  assert.match(stackOfThrown(new Missing('m')), /^Missing: m\n +at /);
  assert.match(stackOfThrown(new Named('n')), /^OwnName: n\n +at /);
  assert.match(stackOfThrown(changed), /^Error: then: first\n/);
  assert.match(stackOfThrown(other), /^Error: second\nError: first\n +at /);
  assert.match(stackOfThrown(new DOMException('stopped', 'AbortError')), /^AbortError: stopped\n/);
  assert.match(stackOfThrown(Object.assign(new Error('none'), { stack: undefined, status: 3 })), /^Error: none \{ status: 3 \}$/);
  assert.match(stackOfThrown(runInContext("new TypeError('of another realm', { cause: 1 })", createContext())), /realm[\s\S]*\[cause\]: 1/);
});

test('anything else that is thrown is shown, too', () => {
  assert.equal(stackOfThrown('text'), 'a thrown string: text');
  assert.equal(stackOfThrown(undefined), 'a thrown undefined: undefined');
  assert.match(
    stackOfThrown({ code: 7, cause: new Error('inside') }),
    /^a thrown object: \{\n {2}code: 7,\n {2}cause: Error: inside\n +at /,
  );
  assert.equal(stackOfThrown(new Map([['a', 1]])), "a thrown object: Map(1) { 'a' => 1 }");
});

test('an instance that is no error is shown with its fields where it is thrown or a cause', () => {
  class HttpError {
    status = 404;
    detail = { row: 1 };
  }
  const fields = 'Object [HttpError] { status: 404, detail: { row: 1 } }';
  assert.equal(stackOfThrown(new HttpError()), `a thrown object: ${fields}`);
  assert.ok(stackOfThrown(new Error('no row', { cause: new HttpError() })).endsWith(`[cause]: ${fields}\n}`));
  assert.ok(stackOfThrown(Object.assign(new Error('no row'), { socket: new HttpError() })).endsWith('socket: [HttpError]\n}'));
});

test('the time and the length to show a value are bounded, whatever it holds', () => {
  const trap = (): never => {
    throw new Error('a trap');
  };
  const traps = Object.fromEntries(Object.getOwnPropertyNames(Reflect).map((name) => [name, trap]));
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  let chain = new Error('the first');
  for (let link = 0; link < 10_000; link++) chain = new Error(`link ${link}`, { cause: chain });
  let grid = new Error('the first');
  for (let link = 0; link < 60; link++) grid = new AggregateError([grid, grid, { grid }], 'x', { cause: grid });
  const cyclic = new Error('cyclic');
  cyclic.cause = { again: [cyclic] };
  const members: Record<string, unknown> = {
    text: 'long '.repeat(2_000_000),
    list: Array.from({ length: 1_000_000 }, () => ({ text: 'x'.repeat(100) })),
    fields: Object.fromEntries(Array.from({ length: 100_000 }, (_, at) => [`field ${at}`, at])),
    bytes: new Uint8Array(10_000_000),
    map: new Map(Array.from({ length: 100_000 }, (_, at) => [at, { at }])),
    digits: 10n ** 100_000n,
    socket: new Socket(),
    proxy: new Proxy({}, traps),
    'proxy of an error': new Proxy(new Error('x'), traps),
    revoked: revoked.proxy,
    custom: { [Symbol.for('nodejs.util.inspect.custom')]: trap },
    'custom class': new (class Custom {
      [Symbol.for('nodejs.util.inspect.custom')](): never {
        throw new Error('custom');
      }
    })(),
    'odd prototype': Object.create(new Proxy({}, traps)) as unknown,
    tag: {
      get [Symbol.toStringTag]() {
        return trap();
      },
    },
    json: { toJSON: trap },
    cyclic,
    chain,
    grid,
    errors: Array.from({ length: 1000 }, () => new Error('many '.repeat(10_000))),
    'long message': new Error('long '.repeat(2_000_000)),
  };
  for (const [name, value] of Object.entries(members)) {
    const holder = Object.defineProperty(new Error('holder', { cause: value }), name, { value, enumerable: true });
    for (const thrown of [holder, value, Object.defineProperty(new Error('g'), name, { get: trap, enumerable: true })]) {
      const began = performance.now();
      const text = stackOfThrown(thrown);
      assert.ok(text.length > 3 && text.length < 17_000, `${name}: ${text.length}`);
      assert.ok(performance.now() - began < 5000, name);
      if (thrown === holder) assert.match(text, /^Error: holder\n +at /, name);
    }
  }
});

test('nothing that a thrown value holds is called or kept', () => {
  let calls = 0;
  const count = (): number => ++calls;
  const error = Object.defineProperty(new Error('quiet'), 'field', { get: count, enumerable: true });
  Object.assign(error, {
    held: { toJSON: count, toString: count, [Symbol.for('nodejs.util.inspect.custom')]: count },
    own: Object.assign(new Map(), { toJSON: count, toString: count, [Symbol.for('nodejs.util.inspect.custom')]: count }),
  });
  assert.match(stackOfThrown(error), /field: \[Getter\],\n {2}held: \{/);
  assert.equal(calls, 0);
});

test('one line, the bare stack and the fields of an error leave its causes out, or keep them', () => {
  const error = new TypeError('short', { cause: new Error('long') });
  assert.equal(describeThrown(error), 'TypeError: short');
  assert.match(bareStack(error), /^TypeError: short\n +at /);
  assert.doesNotMatch(bareStack(error), /long/);
  const { type, message, stack } = fieldsOfError(error);
  assert.deepEqual([type, message], ['TypeError', 'short']);
  assert.match(stack, /\[cause\]: Error: long/);
});

test('a bigint of millions of digits costs no time', () => {
  const huge = 2n ** 10_000_000n;
  for (const text of [describeThrown(huge), stackOfThrown(huge), stackOfThrown(new Error('x', { cause: huge }))])
    assert.match(text, /\[a bigint of more than 1024 bits\]/);
});
