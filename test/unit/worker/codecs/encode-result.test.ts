import fc from 'fast-check';
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import test from 'node:test';
import { createContext, runInContext } from 'node:vm';
import { encodeJson } from '../../../../server/worker/codecs/encode-result.ts';
import { assertLinear } from '../../linear-time.ts';

test('plain values are written as JSON.stringify writes them', () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => assert.equal(encodeJson(value, 'string'), JSON.stringify(value))));
  for (const value of [
    new Date(0),
    { a: undefined, b: [undefined] },
    { toJSON: () => ({ made: 1 }) },
    Object.create(null),
    '',
    'ü\u2028\ud800',
  ]) {
    assert.equal(encodeJson(value, 'string'), JSON.stringify(value));
  }
});

test('toJSON is called once for each value, with its key', () => {
  class Self {
    kept = 1;
    toJSON(): this {
      return this;
    }
  }
  const key = { toJSON: (name: string) => name };
  const values = (): unknown[] => [new Self(), { a: new Self() }, { a: key, list: [key] }, [[1, { a: 'b' }], new Date(0)]];
  for (const value of values()) assert.equal(encodeJson(value, 'string'), JSON.stringify(value));
  const hook = function (this: object): object {
    return { ...this };
  };
  const { prototype } = Object;
  Object.defineProperty(prototype, 'toJSON', { value: hook, configurable: true, writable: true });
  try {
    assert.equal(encodeJson({ a: { b: [1n, 'c'] } }, 'string'), '{"a":{"b":{"0":1,"1":"c"}}}');
  } finally {
    delete (prototype as { toJSON?: unknown }).toJSON;
  }
});

test('a mixture of plain and special values keeps every plain one as it is', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      assert.equal(encodeJson({ value, special: Float32Array.of(1) }, 'string'), `{"value":${JSON.stringify(value)},"special":[1]}`);
    }),
  );
});

test('typed arrays become arrays, 64-bit integers exact numbers', () => {
  const cases: [value: unknown, text: string][] = [
    [Float64Array.of(0.1, -0, 1e21, 5e-324), '[0.1,0,1e+21,5e-324]'],
    [Float32Array.of(1.5), '[1.5]'],
    [Uint8Array.of(0, 255), '[0,255]'],
    [Buffer.from([1]), '[1]'],
    [BigUint64Array.of(18446744073709551615n), '[18446744073709551615]'],
    [{ n: -9007199254740993n }, '{"n":-9007199254740993}'],
    [new Float32Array(0), '[]'],
  ];
  for (const [value, text] of cases) assert.equal(encodeJson(value, 'string'), text);
});

test('tensors become nested arrays of their dims', () => {
  const of = (type: string, dims: number[], data: unknown): unknown => ({ type, dims, data });
  const cases: [tensor: unknown, text: string][] = [
    [of('float32', [], Float32Array.of(2)), '2'],
    [of('float32', [0], new Float32Array(0)), '[]'],
    [of('float32', [2, 0], new Float32Array(0)), '[[],[]]'],
    [of('float32', [0, 2], new Float32Array(0)), '[]'],
    [of('int64', [1, 2], BigInt64Array.of(1n, 9007199254740993n)), '[[1,9007199254740993]]'],
    [of('float64', [2, 1, 2], Float64Array.of(1, 2, 3, Number.NaN)), '[[[1,2]],[[3,"NaN"]]]'],
    [of('bool', [2], Uint8Array.of(1, 0)), '[true,false]'],
    [of('string', [1, 2], ['a"', 'ü']), '[["a\\"","ü"]]'],
    [of('float16', [3], Uint16Array.of(0x3c00, 0x7c00, 0xc000)), '[1,"Infinity",-2]'],
  ];
  for (const [tensor, text] of cases) assert.equal(encodeJson({ tensor }, 'string'), `{"tensor":${text}}`);
});

test('numbers without a JSON form follow the option', () => {
  const value = { a: [Number.NaN, 1], b: Float32Array.of(Infinity) };
  assert.equal(encodeJson(value, 'string'), '{"a":["NaN",1],"b":["Infinity"]}');
  assert.equal(encodeJson(value, 'null'), '{"a":[null,1],"b":[null]}');
  assert.throws(() => encodeJson(value, 'error'), { code: 'result_not_json', message: /NaN at `result\.a\[0\]`/ });
});

test('booleans that are certainly larger than the limit are refused before they are written', () => {
  const tensor = { type: 'bool', dims: [2 ** 22], data: new Uint8Array(2 ** 22) };
  /** Of CPU: what other processes take does not count. */
  const microsecondsOf = (work: () => void): number => {
    const from = process.threadCpuUsage();
    work();
    return process.threadCpuUsage(from).user;
  };
  const refused = microsecondsOf(() => assert.throws(() => encodeJson(tensor, 'string', 5 * 2 ** 22 - 1), { code: 'answer_too_large' }));
  const written = microsecondsOf(() => assert.ok(encodeJson(tensor, 'string').length > 5 * 2 ** 22));
  assert.ok(refused * 4 < written, `${refused} µs, ${written} µs to write it`);
});

test('a value without a JSON form is named with its place', () => {
  const circular: unknown[] = [];
  circular.push({ again: circular });
  const cases: [value: unknown, message: RegExp][] = [
    [new Set([1]), /a Set at `result`/],
    [{ a: [() => 1] }, /a function at `result\.a\[0\]`/],
    [{ a: Symbol('x') }, /a symbol at `result\.a`/],
    [{ a: Promise.resolve() }, /a Promise at `result\.a`/],
    [circular, /contains itself at `result\[0\]\.again`/],
  ];
  for (const [value, message] of cases) assert.throws(() => encodeJson(value, 'string'), { code: 'result_not_json', message });
});

class HasGetter {
  #row = 1;

  get row(): number {
    return this.#row;
  }
}

/** Values that JSON.stringify writes as `{}` or as their inner parts, each with the advice. */
const formless: [value: unknown, what: string, instead: RegExp][] = [
  [new Map([['a', 1]]), 'a Map', /Object\.fromEntries\(map\) or \[\.\.\.map\]$/],
  [new (class Counts extends Map {})(), 'a Map', /fromEntries/],
  [new Set(), 'a Set', /\[\.\.\.set\]$/],
  [new WeakMap(), 'a WeakMap', /./],
  [new WeakSet(), 'a WeakSet', /./],
  [/x/, 'a RegExp', /String\(regexp\)$/],
  [new Error('secret'), 'an Error', /error\.message/],
  [new (class Mine extends RangeError {})(), 'an Error', /error\.message/],
  [new DOMException('x'), 'an Error', /error\.message/],
  [Promise.resolve(1), 'a Promise', /await it$/],
  [runInContext('({ rows: 1, then() {} })', createContext()), 'a Promise', /await it$/],
  [new ArrayBuffer(2), 'an ArrayBuffer', /new Response\(buffer\)/],
  [new SharedArrayBuffer(2), 'a SharedArrayBuffer', /new Uint8Array\(buffer\)/],
  [new DataView(new ArrayBuffer(2)), 'a DataView', /new Uint8Array\(view\.buffer/],
  [new Blob(['x']), 'a Blob', /await blob\.text\(\), or new Response\(blob\)/],
  [new File(['x'], 'f'), 'a File', /await file\.text\(\)/],
  [new FormData(), 'a FormData', /Object\.fromEntries\(form\)/],
  [new Headers(), 'a Headers', /Object\.fromEntries\(headers\)$/],
  [new URLSearchParams('a=1'), 'a URLSearchParams', /String\(params\)$/],
  [new Request('http://a'), 'a Request', /await request\.json\(\)/],
  [new Response('x'), 'a Response', /await response\.json\(\)$/],
  [new ReadableStream(), 'a stream or an async iterator', /Array\.fromAsync/],
  [Readable.from(['x']), 'a stream or an async iterator', /Array\.fromAsync/],
  [(async function* () {})(), 'a stream or an async iterator', /Array\.fromAsync/],
  [(function* () {})(), 'a generator', /\[\.\.\.generator\]$/],
  [new Map().entries(), 'an iterator', /\[\.\.\.iterator\]$/],
  [[1].values().map((x) => x), 'an iterator', /\[\.\.\.iterator\]$/],
  [runInContext('new Map()', createContext()), 'a Map', /fromEntries/],
  [runInContext('new TypeError("x")', createContext()), 'an Error', /error\.message/],
  [runInContext('(async () => 1)()', createContext()), 'a Promise', /await it$/],
  [() => 1, 'a function', /call it$/],
  [AbortSignal.abort(), 'an instance of a class without enumerable members', /members that you need$/],
  [new Intl.NumberFormat('en'), 'an instance of a class without enumerable members', /members that you need$/],
  [new (class extends HasGetter {})(), 'an instance of a class without enumerable members', /members that you need$/],
];

test('a value whose JSON would not hold its content is refused by name, at any place, with what to return', () => {
  for (const [value, what, instead] of formless) {
    const places: [whole: unknown, place: string][] = [
      [value, 'result'],
      [{ a: { b: value } }, 'result.a.b'],
      [[1, [value]], 'result[1][0]'],
      [{ plain: { toJSON: () => ({ made: value }) } }, 'result.plain.made'],
      [{ nan: Number.NaN, values: Float32Array.of(1), a: value }, 'result.a'],
    ];
    for (const [whole, place] of places)
      assert.throws(
        () => encodeJson(whole, 'string'),
        (error: { code: string; message: string }) => {
          assert.equal(error.code, 'result_not_json');
          assert.ok(error.message.startsWith(`run() returned ${what} at \`${place}\`, which has no JSON form: return `), error.message);
          assert.match(error.message, instead);
          assert.doesNotMatch(error.message, /secret/);
          return true;
        },
      );
  }
});

test('objects of own classes, boxed values, dates, URLs and objects of another realm are written as JSON.stringify writes them', () => {
  class Point {
    x = 1;
    #hidden = 2;
    get sum(): number {
      return this.x + this.#hidden;
    }
  }
  class Empty {
    size(): number {
      return 0;
    }
  }
  const values: unknown[] = [
    new Point(),
    { a: new Point(), b: [Object.assign(new Point(), { [Symbol.toStringTag]: 'Point' })] },
    [Object(1), Object('text'), Object(false)],
    new URL('http://a/b'),
    { at: new Date(0) },
    runInContext('({ a: [1, { b: "c" }], d: new Date(0) })', createContext()),
    [runInContext('({})', createContext()), Object.create({}), new Empty()],
    new (class List extends Array<number> {})(1, 2),
    Object.assign(new Error('x'), { toJSON: () => ({ message: 'chosen' }) }),
  ];
  for (const value of values) assert.equal(encodeJson(value, 'string'), JSON.stringify(value));
  assert.equal(encodeJson(Object(5n), 'string'), '5');
});

const nested = (levels: number, inside: unknown, wrap: (value: unknown) => unknown): unknown => {
  let value = inside;
  for (let level = 0; level < levels; level++) value = wrap(value);
  return value;
};
const wraps: readonly ((value: unknown) => unknown)[] = [
  (value) => [value],
  (value) => ({ a: value }),
  (value) => ({ toJSON: () => [value] }),
];

test('nesting of more than 1000 levels has no JSON form, whatever is inside', () => {
  for (const wrap of wraps)
    for (const inside of [1, Number.NaN, Float32Array.of(1)]) {
      assert.ok(encodeJson(nested(450, inside, wrap), 'string').length > 900);
      for (const levels of [1001, 5000, 100_000, 1_000_000])
        assert.throws(() => encodeJson(nested(levels, inside, wrap), 'string'), {
          code: 'result_not_json',
          message: /nested more than 1000 deep at `result.{0,110}`/,
        });
    }
  assert.equal(
    encodeJson(
      nested(1000, 1, (value) => [value]),
      'string',
    ),
    `${'['.repeat(1000)}1${']'.repeat(1000)}`,
  );
  class Endless {
    toJSON(): unknown {
      return { next: new Endless() };
    }
  }
  assert.throws(() => encodeJson(new Endless(), 'string'), { code: 'result_not_json', message: /nested more than 1000 deep/ });
});

test('a tensor has sizes that a tensor can have', () => {
  const wrong: [dims: unknown, data: unknown[], message: RegExp][] = [
    [[2 ** 40, 0], [], /dims \[1099511627776,0\] \(expected sizes that multiply to at most 16777216 beside a 0\)/],
    [[2 ** 30, 0], [], /dims \[1073741824,0\]/],
    [[2 ** 13, 2 ** 12, 0], [], /multiply to at most/],
    [[2 ** 30, 2 ** 30, 0], [], /dims/],
    [[-1, -2], [1, 2], /dims \[-1,-2\] \(expected at most 64 dimensions, whole numbers from 0\)/],
    [[0.5, 2], [1], /dims \[0.5,2\]/],
    [[Number.NaN], [], /dims \[NaN\]/],
    [[Infinity, 0], [], /dims \[Infinity,0\]/],
    [['1'], [1], /dims \["1"\]/],
    [[{}], [1], /dims \[object\]/],
    [Array.from({ length: 65 }, () => 1), [1], /dims \[(?:1,){64}…\]/],
    [Array.from({ length: 1_000_000 }, () => 1), [1], /dims \[(?:1,){64}…\]/],
    [[2 ** 53, 2], [], /dims/],
  ];
  for (const [dims, data, message] of wrong)
    assert.throws(() => encodeJson({ a: { type: 'float32', dims, data } }, 'string'), { code: 'result_not_json', message });
  const empty = encodeJson({ type: 'float32', dims: [2 ** 20, 3, 0], data: [] }, 'string');
  assert.equal(empty.length, 2 ** 20 * '[[],[],[]],'.length + 1);
  assert.equal(encodeJson({ type: 'float32', dims: [2, 2, 0, 5], data: [] }, 'string'), '[[[],[]],[[],[]]]');
  assert.equal(
    encodeJson({ type: 'float32', dims: Array.from({ length: 64 }, () => 1), data: [7] }, 'string'),
    `${'['.repeat(64)}7${']'.repeat(64)}`,
  );
});

test('a larger answer than the limit is refused before it is written', () => {
  const shared = (levels: number): unknown => nested(levels, 1, (value) => [value, value]);
  const large: [name: string, value: unknown][] = [
    ['a text', 'x'.repeat(1001)],
    ['texts', Array.from({ length: 100 }, () => 'x'.repeat(10))],
    ['keys', Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`key number ${at}`, 1]))],
    ['numbers', Array.from({ length: 501 }, () => 1)],
    ['a sparse array', Object.assign([], { length: 2 ** 32 - 1 })],
    ['the same arrays again and again', shared(40)],
    ['a typed array', new Float64Array(501)],
    ['a large typed array', new Uint8Array(256 * 1024 * 1024)],
    ['a tensor', { type: 'float32', dims: [501], data: new Float32Array(501) }],
    ['a tensor of texts', { type: 'string', dims: [2], data: ['x'.repeat(500), 'x'.repeat(500)] }],
    ['a tensor of nothing', { type: 'float32', dims: [2 ** 24, 0], data: [] }],
    ['a sparse tensor', { type: 'float32', dims: [2 ** 32 - 1], data: Object.assign([], { length: 2 ** 32 - 1 }) }],
    ['a bigint', 10n ** 1001n],
  ];
  for (const [name, value] of large)
    for (const whole of [value, [value, Number.NaN], { a: value, b: 1n }]) {
      const began = performance.now();
      assert.throws(
        () => encodeJson(whole, 'string', 1000),
        { code: 'answer_too_large', message: /1000 bytes \(ANSWER_LIMIT_BYTES\)/ },
        name,
      );
      assert.ok(performance.now() - began < 20_000, name);
    }
  assert.throws(() => encodeJson(['x'.repeat(300 * 1024 * 1024), 'x'.repeat(300 * 1024 * 1024)], 'string'), { code: 'answer_too_large' });
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(undefined, Number.NaN, 1n), (value, special) => {
      const whole = special === undefined ? value : [value, special];
      // Nothing that fits is refused: the least length is at most the length.
      assert.equal(encodeJson(whole, 'string', encodeJson(whole, 'string').length), encodeJson(whole, 'string'));
    }),
  );
});

test('a hole of an array is null, beside special values too', () => {
  const sparse: unknown[] = [Number.NaN];
  sparse[3] = 1;
  assert.equal(encodeJson(sparse, 'string'), '["NaN",null,null,1]');
});

test('the time to write a result is linear in its size', () => {
  const results: [name: string, from: number, make: (size: number) => unknown][] = [
    ['special numbers', 50_000, (size) => Array.from({ length: size }, () => [Number.NaN])],
    ['keys', 20_000, (size) => Object.fromEntries(Array.from({ length: size }, (_, at) => [`k${at}`, at === 0 ? Number.NaN : 1]))],
    ['chains', 100, (size) => Array.from({ length: size }, () => nested(900, Number.NaN, (value) => [value]))],
    ['tensors', 20_000, (size) => Array.from({ length: size }, () => ({ type: 'float32', dims: [1, 1], data: [Number.NaN] }))],
    ['one tensor of short rows', 50_000, (size) => ({ type: 'float32', dims: [size, 2], data: new Float32Array(2 * size).fill(Infinity) })],
    ['a long typed array', 500_000, (size) => new Float32Array(size).fill(0.5)],
    ['texts', 20_000, (size) => ['\u0001'.repeat(size), Number.NaN]],
  ];
  for (const [name, from, make] of results) assertLinear(name, from, make, (value) => encodeJson(value, 'string'));
});
