import { test } from 'node:test';
import { agrees } from './against-runtime.ts';

const ml = { domain: 'ai.onnx.ml', version: 3 };
const table = { type: 'float32', dims: ['N', 2] } as const;
const labelled = ['int64', 'float32'] as const;

/** A tree with one split. */
const nodes = {
  nodes_treeids: [0, 0, 0],
  nodes_nodeids: [0, 1, 2],
  nodes_featureids: [1, 0, 0],
  nodes_modes: ['BRANCH_LEQ', 'LEAF', 'LEAF'],
  nodes_values: [0, 0, 0],
  nodes_truenodeids: [1, 0, 0],
  nodes_falsenodeids: [2, 0, 0],
};
const leaves = (name: string): object => ({
  [`${name}_treeids`]: [0, 0],
  [`${name}_nodeids`]: [1, 2],
  [`${name}_ids`]: [0, 1],
  [`${name}_weights`]: [1, 2],
});
const vectors = { rho: [0, 0, 0], kernel_type: 'LINEAR', kernel_params: [1, 0, 3], support_vectors: [1, 0, 0, 1, 1, 1] };

test('ONNX Runtime classifies and regresses each row of a table as its rule says', async () => {
  await agrees(
    {
      ...ml,
      operator: 'TreeEnsembleClassifier',
      outputs: labelled,
      attributes: { ...nodes, ...leaves('class'), classlabels_int64s: [7, 8, 9] },
    },
    [table],
  );
  await agrees({ ...ml, operator: 'TreeEnsembleRegressor', attributes: { ...nodes, ...leaves('target'), n_targets: 2 } }, [table]);
  for (const [intercepts, coefficients] of [
    [[1], [1, 2]],
    [
      [1, 2],
      [1, 2, 3, 4],
    ],
  ] as const)
    await agrees(
      {
        ...ml,
        version: 1,
        operator: 'LinearClassifier',
        outputs: labelled,
        attributes: { intercepts, coefficients, classlabels_ints: [4, 5] },
      },
      [table],
    );
  await agrees({ ...ml, operator: 'LinearRegressor', attributes: { intercepts: [1, 2], coefficients: [1, 2, 3, 4], targets: 2 } }, [table]);
  const three = { ...vectors, coefficients: [1, -1, 1, 1, -1, 1], vectors_per_class: [1, 1, 1], classlabels_ints: [4, 5, 6] };
  await agrees({ ...ml, operator: 'SVMClassifier', outputs: labelled, attributes: three }, [table]);
  await agrees({ ...ml, operator: 'SVMClassifier', outputs: labelled, attributes: { ...three, prob_a: [1, 1, 1], prob_b: [0, 0, 0] } }, [
    table,
  ]);
  const two = { ...vectors, coefficients: [1, -1, 1], vectors_per_class: [2, 1], classlabels_ints: [4, 5] };
  await agrees({ ...ml, operator: 'SVMClassifier', outputs: labelled, attributes: two }, [table]);
  await agrees(
    {
      ...ml,
      operator: 'SVMClassifier',
      outputs: labelled,
      attributes: { ...vectors, coefficients: [1, 2, 3, 4, 5, 6], classlabels_ints: [4, 5, 6] },
    },
    [table],
  );
  await agrees({ ...ml, operator: 'SVMRegressor', attributes: { ...vectors, coefficients: [1, 2, 3], n_supports: 3 } }, [table]);
});

test('ONNX Runtime scales, imputes and encodes as its rules say', async () => {
  const deep = { type: 'float32', dims: ['N', 2, 3] } as const;
  const across = { type: 'float32', dims: [2, 'N'] } as const;
  for (const input of [table, deep]) {
    await agrees({ ...ml, operator: 'Scaler', attributes: { scale: [2, 3], offset: [1, 0] } }, [input]);
    await agrees({ ...ml, operator: 'Imputer', attributes: { imputed_value_floats: [7, 8], replaced_value_float: 0 } }, [input]);
    await agrees({ ...ml, operator: 'OneHotEncoder', attributes: { cats_int64s: [0, 1] } }, [input]);
    await agrees({ ...ml, operator: 'Binarizer' }, [input]);
  }
  await agrees({ ...ml, operator: 'Scaler', attributes: { scale: [2], offset: [1] } }, [across]);
  for (const norm of ['MAX', 'L1', 'L2']) await agrees({ ...ml, operator: 'Normalizer', attributes: { norm } }, [table]);
  await agrees({ ...ml, operator: 'LabelEncoder', attributes: { keys_strings: ['a', 'b'], values_int64s: [1, 2] }, outputs: ['int64'] }, [
    { type: 'string', dims: ['N', 2] },
  ]);
  await agrees({ ...ml, operator: 'FeatureVectorizer', attributes: { inputdimensions: [2, 5] } }, [table, deep]);
});

test('ONNX Runtime picks features as its rule says', async () => {
  const picks = { ...ml, operator: 'ArrayFeatureExtractor' };
  await agrees(picks, [table, { type: 'int64', dims: [3], data: [1, 0, 1] }]);
  await agrees(picks, [
    { type: 'float32', dims: ['N', 2, 2] },
    { type: 'int64', dims: [1, 1], data: [1] },
  ]);
  await agrees(picks, [
    { type: 'float32', dims: [3], data: [5, 6, 7] },
    { type: 'int64', dims: ['N'] },
  ]);
  await agrees(picks, [
    { type: 'float32', dims: [2, 3], data: [5, 6, 7, 8, 9, 10] },
    { type: 'int64', dims: ['N', 1] },
  ]);
});

test('ONNX Runtime treats texts as its rules say', async () => {
  const words = { type: 'string', dims: ['N', 4] } as const;
  const pool = { pool_strings: ['a', 'b', 'a', 'b'], ngram_counts: [0, 2], ngram_indexes: [0, 1, 3] };
  await agrees(
    { operator: 'TfIdfVectorizer', attributes: { ...pool, mode: 'TF', min_gram_length: 1, max_gram_length: 2, max_skip_count: 2 } },
    [words],
  );
  await agrees({ operator: 'StringNormalizer', attributes: { case_change_action: 'UPPER', locale: 'C' }, outputs: ['string'] }, [
    { type: 'string', dims: ['N'] },
  ]);
  await agrees({ operator: 'StringConcat', outputs: ['string'] }, [words, { type: 'string', dims: [1], data: ['!'] }]);
});
