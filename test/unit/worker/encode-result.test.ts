import fc from 'fast-check';
import assert from 'node:assert/strict';
import test from 'node:test';
import { encodeJson } from '../../../server/worker/encode-result.ts';

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

test('numbers that JSON has not follow the option', () => {
  const value = { a: [Number.NaN, 1], b: Float32Array.of(Infinity) };
  assert.equal(encodeJson(value, 'string'), '{"a":["NaN",1],"b":["Infinity"]}');
  assert.equal(encodeJson(value, 'null'), '{"a":[null,1],"b":[null]}');
  assert.throws(() => encodeJson(value, 'error'), { code: 'result_not_json', message: /NaN at `result\.a\[0\]`/ });
});

test('what has no JSON form is named with its place', () => {
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
