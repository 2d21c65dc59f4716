import type { InferParameters, Model, Tensor, TensorSpec } from '../entry-script.ts';
import { sizeOf } from './tensor-shape.ts';
import { valuesOf } from './tensor.ts';

/**
 * Outputs with an object by class label in place of each list along the last axis. Outputs without
 * labels stay tensors. The objects have no prototype, because models choose the labels.
 */
export function byClassLabel(
  { outputs: specs }: Pick<Model, 'outputs'>,
  outputs: Readonly<Record<string, Tensor>>,
): Record<string, unknown> {
  const named: Record<string, unknown> = Object.create(null);
  for (const [name, tensor] of Object.entries(outputs)) named[name] = labelled(specOf(specs, name), tensor);
  return named;
}

/** Parameters of the outputs that have class labels: `class_labels` is the JSON of their list. */
export function labelParameters(
  { outputs: specs }: Pick<Model, 'outputs'>,
  outputs: Readonly<Record<string, Tensor>>,
): Record<string, InferParameters> {
  const parameters: Record<string, InferParameters> = Object.create(null);
  for (const [name, { dims }] of Object.entries(outputs)) {
    const labels = specOf(specs, name)?.classLabels;
    if (listsOf(labels, dims) !== undefined) parameters[name] = { class_labels: JSON.stringify(labels) };
  }
  return parameters;
}

const specOf = (specs: readonly TensorSpec[], name: string): TensorSpec | undefined => specs.find((spec) => spec.name === name);

type Labels = TensorSpec['classLabels'];

function labelled(spec: TensorSpec | undefined, tensor: Tensor): unknown {
  const lists = listsOf(spec?.classLabels, tensor.dims);
  if (lists === undefined) return tensor;
  const rows = tensor.dims.slice(0, -1);
  const columns = tensor.dims.at(-1) ?? 1;
  const values: ArrayLike<unknown> = valuesOf(tensor);
  const objects = Array.from({ length: sizeOf(rows) }, (_, row) => {
    const object: Record<string, unknown> = Object.create(null);
    for (const [column, label] of (lists[row % lists.length] ?? []).entries()) {
      const value = values[row * columns + column];
      object[label] = tensor.type === 'bool' ? value === 1 : value;
    }
    return object;
  });
  return nested(objects, rows);
}

/** The lists of labels, one an index of the axis before the last; undefined if they do not fit. */
function listsOf(labels: Labels, dims: readonly number[]): readonly (readonly (string | number)[])[] | undefined {
  if (labels === undefined || dims.length === 0) return undefined;
  const lists = labels.filter((item) => Array.isArray(item));
  const flat = labels.filter((item) => typeof item !== 'object');
  const all = flat.length > 0 ? [flat] : lists;
  const fits = all.every(({ length }) => length === dims.at(-1)) && (all.length === 1 || dims.at(-2) === all.length);
  return all.length > 0 && fits ? all : undefined;
}

function nested(items: readonly unknown[], dims: readonly number[]): unknown {
  const [count, ...below] = dims;
  if (count === undefined) return items[0];
  const step = sizeOf(below);
  return Array.from({ length: count }, (_, index) => nested(items.slice(index * step, (index + 1) * step), below));
}
