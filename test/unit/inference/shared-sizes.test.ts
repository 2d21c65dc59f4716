import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Tensor, TensorSpec } from '../../../server/entry-script.ts';
import { ServerError } from '../../../server/errors.ts';
import { SharedSizes } from '../../../server/inference/shared-sizes.ts';

const spec = (name: string, ...dims: (number | string)[]): TensorSpec => ({ name, type: 'float32', dims });
const zeros = (...dims: number[]): Tensor => ({ type: 'float32', dims, data: new Float32Array(dims.reduce((size, dim) => size * dim, 1)) });

const pair = [spec('a', 'batch', 3), spec('b', 'batch', 3)];
const square = [spec('m', 'n', 'n')];
const attention = [spec('ids', 'batch', 'sequence'), spec('mask', 'batch', 'sequence'), spec('scale', 'batch')];
const strange = [spec('constructor', 'toString'), spec('__proto__', 'toString')];

const agreeing: [title: string, inputs: readonly TensorSpec[], dims: number[][]][] = [
  [
    'equal rows',
    pair,
    [
      [2, 3],
      [2, 3],
    ],
  ],
  [
    'no rows at all',
    pair,
    [
      [0, 3],
      [0, 3],
    ],
  ],
  ['a square', square, [[4, 4]]],
  ['two names that have nothing in common', attention, [[2, 7], [2, 7], [2]]],
  [
    'sizes without a name',
    [spec('a', '', 2), spec('b', '', 2)],
    [
      [1, 2],
      [5, 2],
    ],
  ],
  ['a name on one axis', [spec('a', 'N'), spec('b', 'M')], [[1], [2]]],
  ['an input of unknown rank', [spec('a', 'N'), spec('b')], [[1], [9, 9]]],
];

const disagreeing: [title: string, inputs: readonly TensorSpec[], dims: number[][], message: RegExp][] = [
  [
    'more rows in the second input',
    pair,
    [
      [2, 3],
      [3, 3],
    ],
    /^input b: expected 2 on axis 0, because axis 0 of input a has the same size batch; got the shape \[3,3\]$/,
  ],
  [
    'one row, which the model would broadcast',
    pair,
    [
      [2, 3],
      [1, 3],
    ],
    /^input b: expected 2 .* input a .* batch; got the shape \[1,3\]$/,
  ],
  [
    'rows against none',
    pair,
    [
      [0, 3],
      [2, 3],
    ],
    /^input b: expected 0 /,
  ],
  [
    'one name twice in one input',
    square,
    [[3, 4]],
    /^input m: expected 3 on axis 1, because its axis 0 has the same size n; got the shape \[3,4\]$/,
  ],
  [
    'the second of two names',
    attention,
    [[2, 7], [2, 6], [2]],
    /^input mask: expected 7 on axis 1, because axis 1 of input ids .* sequence;/,
  ],
  [
    'the third of three inputs',
    attention,
    [[2, 7], [2, 7], [1]],
    /^input scale: expected 2 on axis 0, .* input ids .* batch; got the shape \[1\]$/,
  ],
  [
    'names of Object',
    strange,
    [[1], [2]],
    /^input __proto__: expected 1 on axis 0, because axis 0 of input constructor has the same size toString;/,
  ],
];

function feedsOf(inputs: readonly TensorSpec[], dims: number[][]): Record<string, Tensor> {
  const feeds: Record<string, Tensor> = Object.create(null);
  for (const [index, { name }] of inputs.entries()) feeds[name] = zeros(...dims[index]!);
  return feeds;
}

describe('sizes of one symbolic name', () => {
  for (const [title, inputs, dims] of agreeing)
    it(`may be ${title}`, () => {
      new SharedSizes(inputs).check(feedsOf(inputs, dims));
    });

  for (const [title, inputs, dims, message] of disagreeing)
    it(`are refused: ${title}`, () => {
      assert.throws(
        () => new SharedSizes(inputs).check(feedsOf(inputs, dims)),
        (error) => error instanceof ServerError && error.code === 'invalid_input' && message.test(error.message),
      );
    });

  for (const [title, inputs, dims] of disagreeing)
    it(`are not compared where the check is off: ${title}`, () => {
      const sizes = new SharedSizes(inputs);
      sizes.enabled = false;
      sizes.check(feedsOf(inputs, dims));
      assert.equal(sizes.agree(feedsOf(inputs, dims)), false);
    });
});
