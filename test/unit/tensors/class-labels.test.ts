import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ClassLabels, Tensor, TensorSpec } from '../../../server/entry-script.ts';
import { byClassLabel, labelParameters } from '../../../server/tensors/class-labels.ts';

const spec = (classLabels: ClassLabels | undefined, dims: TensorSpec['dims'] = ['', 2]): { outputs: readonly TensorSpec[] } => ({
  outputs: [
    { name: 'label', type: 'int64', dims: [''] },
    { name: 'p', type: 'float32', dims, classLabels },
  ],
});
const floats = (dims: readonly number[], ...data: number[]): Tensor => ({ type: 'float32', dims, data: Float32Array.from(data) });

/** The JSON of an answer, because its objects have no prototype. */
const json = (labels: ClassLabels | undefined, tensor: Tensor): unknown =>
  JSON.parse(JSON.stringify(byClassLabel(spec(labels), { p: tensor })));

describe('scores by class label', () => {
  it('are an object a row', () => {
    assert.deepEqual(json(['no', 'yes'], floats([2, 2], 0.5, 0.25, 0, 1)), {
      p: [
        { no: 0.5, yes: 0.25 },
        { no: 0, yes: 1 },
      ],
    });
    assert.deepEqual(json([-1, 1], floats([2], 0.5, 0.25)), { p: { '-1': 0.5, '1': 0.25 } });
    assert.deepEqual(json(['a', 'b'], floats([0, 2])), { p: [] });
  });

  it('have the labels of their tensor where a sequence has become one', () => {
    const lists: ClassLabels = [
      ['a', 'b'],
      [0, 1],
    ];
    const tensor = floats([2, 2, 2], 1, 2, 3, 4, 5, 6, 7, 8);
    assert.deepEqual(json(lists, tensor), {
      p: [
        [
          { a: 1, b: 2 },
          { '0': 3, '1': 4 },
        ],
        [
          { a: 5, b: 6 },
          { '0': 7, '1': 8 },
        ],
      ],
    });
    assert.deepEqual(json(['x', 'y'], floats([1, 2, 2], 1, 2, 3, 4)), {
      p: [
        [
          { x: 1, y: 2 },
          { x: 3, y: 4 },
        ],
      ],
    });
  });

  it('keep every dtype, and every label', () => {
    const tensor: Tensor = { type: 'bool', dims: [1, 2], data: Uint8Array.of(0, 1) };
    assert.deepEqual(json(['a', 'b'], tensor), { p: [{ a: false, b: true }] });
    const half: Tensor = { type: 'float16', dims: [1, 2], data: Uint16Array.of(0x3c00, 0xbc00) };
    assert.deepEqual(json(['a', 'b'], half), { p: [{ a: 1, b: -1 }] });
    const found = byClassLabel(spec(['__proto__', 'constructor']), { p: floats([1, 2], 1, 2) });
    assert.equal(JSON.stringify(found), '{"p":[{"__proto__":1,"constructor":2}]}');
  });

  it('stay tensors where there are no labels, or another number of columns', () => {
    const label: Tensor = { type: 'int64', dims: [1], data: BigInt64Array.of(3n) };
    for (const [labels, tensor] of [
      [undefined, floats([1, 2], 1, 2)],
      [['a'], floats([1, 2], 1, 2)],
      [['a', 'b'], floats([], 1)],
      [
        [
          ['a', 'b'],
          ['c', 'd'],
        ],
        floats([1, 3, 2], 1, 2, 3, 4, 5, 6),
      ],
    ] satisfies [ClassLabels | undefined, Tensor][]) {
      const found = byClassLabel(spec(labels), { label, p: tensor });
      assert.equal(found['label'], label);
      assert.equal(found['p'], tensor);
      assert.deepEqual(Object.keys(labelParameters(spec(labels), { label, p: tensor })), []);
    }
  });

  it('have their labels as a parameter of the protocol', () => {
    const found = labelParameters(spec(['a', 'b']), { p: floats([1, 2], 1, 2) });
    assert.deepEqual(found['p'], { class_labels: '["a","b"]' });
  });
});
