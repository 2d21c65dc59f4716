import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { columnLabels } from '../../../../server/inference/outputs/class-labels.ts';
import { OnnxGraph } from '../../../../server/inference/outputs/onnx-graph.ts';
import { GraphBuilder } from '../../../models/graph-builder.ts';
import { attribute, tensor, value } from '../../../models/onnx.ts';

const ML = 'ai.onnx.ml';
const scores = value('p', 'float32', ['', 3]);
const label = value('label', 'int64', ['']);

/** The labels of the output `p` of a graph. */
function labelsOf(build: (builder: GraphBuilder) => void): unknown {
  const builder = new GraphBuilder('labels');
  build(builder);
  return columnLabels(new OnnxGraph(builder.build({ inputs: [value('x', 'float32', ['', 4])], outputs: [scores, label] })), 'p');
}

/** A node with two outputs, as classifiers have. */
const classifier = (builder: GraphBuilder, operator: string, outputs: readonly string[], attributes: readonly Buffer[]): void =>
  builder.nodeOf(operator, ['x'], outputs, { attributes, domain: ML });

const strings = attribute.strings('classlabels_strings', ['cat', 'dog', 'elk']);
const integers = attribute.ints('classlabels_ints', [-1, 0, 7]);
const axis = attribute.int('axis', 1);

const cases: Readonly<Record<string, readonly [expected: readonly (string | number)[] | undefined, build: (b: GraphBuilder) => void]>> = {
  'of ZipMap with texts': [['cat', 'dog', 'elk'], (b) => b.node('ZipMap', ['x'], { output: 'p', domain: ML, attributes: [strings] })],
  'of ZipMap with numbers, also negative ones': [
    [-1, 0, 7],
    (b) => b.node('ZipMap', ['x'], { output: 'p', domain: ML, attributes: [attribute.ints('classlabels_int64s', [-1, 0, 7])] }),
  ],
  'of a ZipMap on the same scores': [
    ['cat', 'dog', 'elk'],
    (b) => {
      b.node('Softmax', ['x'], { output: 'p' });
      b.node('ZipMap', ['p'], { domain: ML, attributes: [strings] });
    },
  ],
  'of a linear classifier': [['cat', 'dog', 'elk'], (b) => classifier(b, 'LinearClassifier', ['label', 'p'], [strings])],
  'of a tree ensemble behind Cast, Mul and Normalizer': [
    [-1, 0, 7],
    (b) => {
      classifier(b, 'TreeEnsembleClassifier', ['label', 'raw'], [attribute.ints('classlabels_int64s', [-1, 0, 7])]);
      const scaled = b.node('Mul', [b.node('Identity', ['raw']), b.filled('one', [], 1)]);
      b.node('Normalizer', [scaled], { output: 'p', domain: ML });
    },
  ],
  'of a support vector machine with probabilities': [
    [-1, 0, 7],
    (b) => classifier(b, 'SVMClassifier', ['label', 'p'], [integers, attribute.floats('prob_a', [1, 2, 3])]),
  ],
  'not of a support vector machine without, whose columns are pairs': [
    undefined,
    (b) => classifier(b, 'SVMClassifier', ['label', 'p'], [integers]),
  ],
  'as a final LabelEncoder writes them': [
    ['low', 'mid', 'top'],
    (b) => {
      classifier(b, 'LinearClassifier', ['raw', 'p'], [integers]);
      const attributes = [attribute.ints('keys_int64s', [7, 0, -1]), attribute.strings('values_strings', ['top', 'mid', 'low'])];
      b.node('LabelEncoder', [b.node('Reshape', ['raw', b.constant('shape', 'int64', [1], BigInt64Array.of(-1n))])], {
        output: 'label',
        domain: ML,
        attributes,
      });
    },
  ],
  'as a final Gather looks them up': [
    [30, 10, 20],
    (b) => {
      classifier(b, 'LinearClassifier', ['raw', 'p'], [attribute.ints('classlabels_ints', [2, 0, 1])]);
      b.node('Gather', [b.constant('names', 'int64', [3], BigInt64Array.of(10n, 20n, 30n)), 'raw'], { output: 'label' });
    },
  ],
  'of ArgMax and ArrayFeatureExtractor, as networks of scikit-learn have them': [
    ['a', 'b', 'c'],
    (b) => {
      b.node('Softmax', ['x'], { output: 'p' });
      const best = b.node('ArgMax', ['p'], { attributes: [axis] });
      const found = b.node('ArrayFeatureExtractor', [b.constant('classes', 'string', [3], ['a', 'b', 'c']), best], { domain: ML });
      b.node('Squeeze', [found], { output: 'label' });
    },
  ],
  'of ArgMax and Gather in a Constant': [
    [5, 6, 7],
    (b) => {
      b.node('Sigmoid', ['x'], { output: 'p' });
      const table = b.node('Constant', [], { attributes: [attribute.tensor('value', tensor('', 'int32', [3], Int32Array.of(5, 6, 7)))] });
      b.node('Gather', [table, b.node('ArgMax', ['p'], { attributes: [attribute.int('axis', -1)] })], { output: 'label' });
    },
  ],
  'of ArgMax and LabelEncoder': [
    ['no', 'yes'],
    (b) => {
      b.node('Softmax', ['x'], { output: 'p' });
      const attributes = [attribute.ints('keys_int64s', [1, 0]), attribute.strings('values_strings', ['yes', 'no'])];
      b.node('LabelEncoder', [b.node('ArgMax', ['p'], { attributes: [axis] })], { output: 'label', domain: ML, attributes });
    },
  ],
  'of a LabelEncoder of the first version': [
    ['n', 'y'],
    (b) => {
      b.node('Softmax', ['x'], { output: 'p' });
      const attributes = [attribute.strings('classes_strings', ['n', 'y'])];
      b.node('LabelEncoder', [b.node('ArgMax', ['p'], { attributes: [axis] })], { output: 'label', domain: ML, attributes });
    },
  ],
  'of a LabelEncoder with tensors': [
    ['n', 'y'],
    (b) => {
      classifier(b, 'LinearClassifier', ['raw', 'p'], [attribute.ints('classlabels_ints', [0, 1])]);
      const attributes = [
        attribute.tensor('keys_tensor', tensor('', 'int64', [2], BigInt64Array.of(0n, 1n))),
        attribute.tensor('values_tensor', tensor('', 'string', [2], ['n', 'y'])),
      ];
      b.node('LabelEncoder', ['raw'], { output: 'label', domain: ML, attributes });
    },
  ],
  'not where two columns have one label': [
    undefined,
    (b) => classifier(b, 'LinearClassifier', ['label', 'p'], [attribute.strings('classlabels_strings', ['a', 'a'])]),
  ],
  'not of ArgMax and a table of vectors': [
    undefined,
    (b) => {
      b.node('Softmax', ['x'], { output: 'p' });
      b.node('Gather', [b.weights('table', [3, 2], 1), b.node('ArgMax', ['p'], { attributes: [axis] })], { output: 'label' });
    },
  ],
  'not of a plain ArgMax': [
    undefined,
    (b) => {
      b.node('Softmax', ['x'], { output: 'p' });
      b.node('ArgMax', ['p'], { output: 'label', attributes: [axis] });
    },
  ],
  'not behind an operator that mixes columns': [
    undefined,
    (b) => {
      classifier(b, 'LinearClassifier', ['label', 'raw'], [strings]);
      b.node('MatMul', ['raw', b.filled('w', [3, 3], 1)], { output: 'p' });
    },
  ],
  'of the classifier itself, where an encoder lacks a label': [
    ['cat', 'dog', 'elk'],
    (b) => {
      classifier(b, 'LinearClassifier', ['raw', 'p'], [strings]);
      const attributes = [attribute.strings('keys_strings', ['cat']), attribute.ints('values_int64s', [1])];
      b.node('LabelEncoder', ['raw'], { output: 'label', domain: ML, attributes });
    },
  ],
};

describe('the labels of columns are found', () => {
  for (const [name, [expected, build]] of Object.entries(cases)) it(name, () => assert.deepEqual(labelsOf(build), expected));

  it('and each value is looked at once, however the ways to it fan out', () => {
    const found = labelsOf((b) => {
      let last = 'x';
      for (let layer = 0; layer < 100; layer++) last = b.node('Add', [last, b.node('Neg', [last])]);
      b.node('Identity', [last], { output: 'p' });
    });
    assert.equal(found, undefined);
  });
});
