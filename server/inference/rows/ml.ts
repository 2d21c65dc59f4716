import type { Call, Rule } from './call.ts';
import { all, eachEntry } from './elementwise.ts';
import { equal, number, ONE, product, type Size } from './size.ts';
import { beside, tableOf } from './table.ts';
import { mixed, relaid, sameLayout, shaped, unknown, type RowAxis, type Shaped } from './value.ts';

/** How many entries the first of some lists has that is not empty. */
function countOf(call: Call, ...lists: readonly string[]): number {
  return lists.map((list) => call.attributes.count(list) ?? 0).find((count) => count > 0) ?? 0;
}

/** Columns of a result. @throws Refusal if no attribute says */
function columns(count: number | undefined): Size {
  if (count === undefined || count === 0) throw unknown('its attributes do not say how many columns it has');
  return number(count);
}

/** A label for each row, and scores for each row and class. */
const classifier =
  (classes: (call: Call) => number): Rule =>
  (call) => {
    const table = tableOf(call);
    return [beside(table), beside(table, columns(classes(call)))];
  };

/** A number for each row and target. */
const regressor =
  (targets: (call: Call) => number | undefined): Rule =>
  (call) =>
    beside(tableOf(call), columns(targets(call)));

/** One intercept for each class. One intercept for two labels gives both classes a score. */
function linearClasses(call: Call): number {
  const intercepts = countOf(call, 'intercepts');
  return intercepts === 1 && countOf(call, 'classlabels_strings', 'classlabels_ints') === 2 ? 2 : intercepts;
}

/** Without probabilities, support vectors give a score for each pair of classes. */
function supportVectorScores(call: Call): number {
  const classes = countOf(call, 'classlabels_strings', 'classlabels_ints');
  const vectors = call.attributes.ints('vectors_per_class')?.some((count) => count > 0) ?? false;
  if (!vectors || countOf(call, 'prob_a') > 0) return classes;
  return classes > 2 ? (classes * (classes - 1)) / 2 : 2;
}

const normalizer: Rule = (call) => {
  const { dims, row } = tableOf(call);
  return shaped(dims, row);
};

/**
 * Each entry depends on itself, and on its place along the second axis (or the only one) if a list
 * of attributes has several numbers. Axes behind are counted on through the second.
 */
const eachFeature =
  (...lists: readonly string[]): Rule =>
  (call) => {
    const { dims, row } = call.settled(0);
    const across = row?.axis ?? dims?.findIndex((size) => size.rows) ?? -1;
    if (countOf(call, ...lists) > 1 && (across > 0 || (across === 0 && dims?.length === 1)))
      throw mixed('it treats each row by its place among rows of different calls');
    return { dims, row };
  };

const oneHot: Rule = (call) => {
  const { dims, row } = call.tensor(0);
  return shaped([...dims, columns(countOf(call, 'cats_int64s', 'cats_strings'))], row);
};

/** Picks entries along the last axis by places that it flattens. One axis counts as one row. */
const arrayFeatureExtractor: Rule = (call) => {
  const [data, places] = [call.tensor(0), call.tensor(1)];
  const last = data.dims.length - 1;
  const [size, count] = [data.dims[last], product(places.dims)];
  if (size === undefined || count === undefined) throw unknown('its input has no axes');
  const ahead = last === 0 ? [ONE] : data.dims.slice(0, last);
  if (size.rows) throw mixed('it picks entries among rows of different calls');
  if (count.rows && ahead.some((each) => each.rows)) throw mixed('it picks entries of one row by those of another');
  return shaped([...ahead, count], data.row ?? movedTo(ahead.length, relaid(places, [count])));
};

const movedTo = (axis: number, row: RowAxis | undefined): RowAxis | undefined => row && { ...row, axis };

/** Joins the features of several tensors; each keeps as many as its attribute says. */
const featureVectorizer: Rule = (call) => {
  const tensors = call.tensors();
  const first = tensors.find(({ row }) => row !== undefined);
  const sizes = call.attributes.ints('inputdimensions') ?? [];
  if (first?.row === undefined) throw unknown('it has no rows');
  for (const tensor of tensors) refuseOtherRows(first, tensor);
  const width = sizes.reduce((sum, size) => sum + size, 0);
  return shaped([first.dims[0] ?? ONE, columns(width)], first.row);
};

function refuseOtherRows({ dims: [height], row }: Shaped, { dims, row: own }: Shaped): void {
  const [first = ONE, second] = dims;
  if (second === undefined || (own !== undefined && own.axis !== 0)) throw mixed('it takes rows of different calls as one row');
  if (height === undefined || !equal(first, height) || (own && row && !sameLayout(own, row)))
    throw mixed('it joins rows with something else');
}

const numberOfTargets = (call: Call): number | undefined => call.attributes.int('n_targets');

/** Operators of the domain `ai.onnx.ml`, versions 1 to 5, but for those on maps. */
export const traditional: Readonly<Record<string, Rule>> = {
  ...all(eachEntry, 'Binarizer CategoryMapper LabelEncoder'),
  ArrayFeatureExtractor: arrayFeatureExtractor,
  FeatureVectorizer: featureVectorizer,
  Imputer: eachFeature('imputed_value_floats', 'imputed_value_int64s'),
  LinearClassifier: classifier(linearClasses),
  LinearRegressor: regressor((call) => call.int('targets', 1)),
  Normalizer: normalizer,
  OneHotEncoder: oneHot,
  SVMClassifier: classifier(supportVectorScores),
  SVMRegressor: regressor(() => 1),
  Scaler: eachFeature('scale', 'offset'),
  TreeEnsemble: regressor(numberOfTargets),
  TreeEnsembleClassifier: classifier((call) => countOf(call, 'classlabels_strings', 'classlabels_int64s')),
  TreeEnsembleRegressor: regressor(numberOfTargets),
  // The server reads a model without its ZipMaps: see zip-map.ts.
  ZipMap: eachEntry,
};
