import assert from 'node:assert/strict';
import test from 'node:test';
import type { Tensor } from '../../../server/entry-script.ts';
import { exampleOfModel, exampleOfScript } from '../../../server/worker/example.ts';

type Exports = Partial<Parameters<typeof exampleOfScript>[0]>;
const script = (exports: Exports): Parameters<typeof exampleOfScript>[0] => ({
  inputType: undefined,
  rawHttp: false,
  exactIntegers: false,
  sample: undefined,
  ...exports,
});

const tensor: Tensor = { type: 'float32', dims: [1, 2], data: Float32Array.of(0.5, 2) };

test('the example of a script is the body that gives run() its sample', () => {
  assert.equal(exampleOfScript(script({ sample: { data: [[1, 2]], name: "it's" } })), `{"data":[[1,2]],"name":"it's"}`);
  assert.equal(exampleOfScript(script({ sample: 'text' })), '"text"');
  assert.equal(exampleOfScript(script({ sample: 'text', inputType: 'text' })), 'text');
  assert.equal(exampleOfScript(script({ sample: { x: tensor }, inputType: 'tensors' })), '{"x":[[0.5,2]]}');
  assert.equal(exampleOfScript(script({ sample: { id: 2n ** 60n }, exactIntegers: true })), '{"id":1152921504606846976}');
});

test('a sample that no line of JSON becomes gives no example', () => {
  for (const exports of [
    {},
    { sample: new Map() },
    { sample: Buffer.from('image') },
    { sample: { data: Float32Array.of(1) } },
    { sample: { id: 1n } },
    { sample: Buffer.from('image'), inputType: 'bytes' },
    { sample: 'a\u001b[2J', inputType: 'text' },
    { sample: 'two\nlines', inputType: 'text' },
    { sample: { a: 'x'.repeat(9000) } },
    { sample: Array.from({ length: 1e6 }, () => 1) },
    { sample: {}, rawHttp: true },
  ] satisfies Exports[])
    assert.equal(exampleOfScript(script(exports)), undefined);
  const circular: Record<string, unknown> = {};
  circular['self'] = circular;
  assert.equal(exampleOfScript(script({ sample: circular })), undefined);
});

test('the example of a model has each input in its form, and short numbers', () => {
  const inputs: Record<string, Tensor> = {
    x: { type: 'float32', dims: [1, 2], data: Float32Array.of(0.627, -1) },
    half: { type: 'float16', dims: [1], data: Uint16Array.of(0x3c00) },
    ids: { type: 'int64', dims: [1, 2], data: BigInt64Array.of(0n, 1n) },
    flag: { type: 'bool', dims: [], data: Uint8Array.of(1) },
    "it's": { type: 'string', dims: [1], data: ['7'] },
  };
  assert.equal(exampleOfModel(inputs), `{"inputs":{"x":[[0.627,-1]],"half":[1],"ids":[[0,1]],"flag":true,"it's":["7"]}}`);
});

test('a model that took no made-up inputs, or large ones, has no example', () => {
  assert.equal(exampleOfModel(undefined), undefined);
  assert.equal(exampleOfModel({ image: { type: 'uint8', dims: [1, 3, 224, 224], data: new Uint8Array(150_528) } }), undefined);
});
