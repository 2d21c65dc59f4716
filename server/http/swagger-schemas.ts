import type { ClassLabels, TensorSpec } from '../entry-script.ts';
import { type Json, type Schema, UNDECLARED } from '../ipc/script-schemas.ts';
import type { Served, ServedModel } from '../scoring/scorer-types.ts';
import { type Dtype, type DtypeRow, dtypes } from '../tensors/dtypes.ts';

/** Schemas of the service's input and output. */
export interface ServiceSchemas {
  readonly input: Schema;
  readonly output: Schema;
  readonly needsInput: boolean;
}

/** Elements of the largest example of an answer: a larger one would be most of the document. */
const LONGEST_EXAMPLE = 1000;

/**
 * The schemas of a model without code come from the model, with an example that it took at its
 * start. A script may declare its data, or show it by a sample.
 */
export function serviceSchemas(served: Served | undefined): ServiceSchemas {
  const [model] = served?.models ?? [];
  if (served?.schemas !== undefined) return { ...served.schemas, needsInput: served.schemas.jsonSchema === true };
  if (served?.noCode !== true || model === undefined) return { input: UNDECLARED, output: UNDECLARED, needsInput: false };
  return {
    input: { ...inputsSchema(model.inputs), ...inputExample(served, model) },
    needsInput: true,
    output: { ...withOmitted(tensorsSchema('outputs', model.outputs), model), ...outputExample(model.outputs) },
  };
}

/** Most elements of an example of zeros: workers name their sizes. */
const MOST_ZEROS = 500_000;
const NO_EXAMPLE = 'There is no example: the inputs are too large for a document, or no made-up values are known that the model takes.';

/** A body that a worker has taken, or why there is none. */
function inputExample({ example, zeros = [] }: Served, { inputs }: ServedModel): Schema {
  if (example !== undefined) return { example: JSON.parse(example) };
  const found = inputs.flatMap(({ name, type }) => zeros.filter((each) => each.name === name).map(({ dims }) => ({ name, type, dims })));
  const length = found.reduce((sum, tensor) => sum + elements(tensor), 0);
  if (found.length === 0 || found.length < inputs.length || length > MOST_ZEROS) return { description: NO_EXAMPLE };
  return { example: { inputs: Object.fromEntries(found.map((tensor) => [tensor.name, tensorExample(tensor)])) } };
}

/** `{ [member]: { <tensor name>: nested arrays } }`. */
function tensorsSchema(member: 'inputs' | 'outputs', tensors: readonly TensorSpec[]): Schema {
  const properties = Object.fromEntries(tensors.map((tensor) => [tensor.name, tensorSchema(tensor)]));
  return { type: 'object', properties: { [member]: { type: 'object', properties } } };
}

/** As `tensorsSchema`, with what a body must have: the inputs, their sizes, and values that fit. */
function inputsSchema(tensors: readonly TensorSpec[]): Schema {
  const properties = Object.fromEntries(tensors.map((tensor) => [tensor.name, inputSchema(tensor)]));
  const inputs = { type: 'object', properties, required: tensors.map(({ name }) => name), additionalProperties: false };
  return { type: 'object', properties: { inputs }, required: ['inputs'] };
}

/** Names the outputs that no answer has. */
function withOmitted(schema: Schema, { omittedOutputs = [] }: Pick<ServedModel, 'omittedOutputs'>): Schema {
  if (omittedOutputs.length === 0) return schema;
  const reasons = omittedOutputs.map(({ name, reason }) => `${name} is ${reason}`);
  return {
    ...schema,
    description: `Omitted outputs, which cannot be carried: ${reasons.join('; ')}.`,
    'x-omitted-outputs': omittedOutputs.map(({ name }) => name),
  };
}

/** The example of an answer; none if it would lack an output. */
function outputExample(outputs: readonly TensorSpec[]): Schema {
  if (outputs.some((output) => elements(output) > LONGEST_EXAMPLE)) return {};
  return { example: { outputs: Object.fromEntries(outputs.map((output) => [output.name, tensorExample(output)])) } };
}

/** JSON Schema type and example of an element, by the kind of its dtype. */
const jsonKinds: Readonly<Record<DtypeRow['kind'], { readonly type: string; readonly zero: Json }>> = {
  float: { type: 'number', zero: 0 },
  integer: { type: 'integer', zero: 0 },
  bigint: { type: 'integer', zero: 0 },
  boolean: { type: 'boolean', zero: false },
  string: { type: 'string', zero: '' },
};

function tensorSchema({ type, dims, classLabels }: TensorSpec): Json {
  const schema = dims.reduce<Schema>((items) => ({ type: 'array', items }), { type: jsonKinds[dtypes[type].kind].type });
  return classLabels === undefined ? schema : { ...schema, ...labelled(classLabels) };
}

function inputSchema({ type, dims }: TensorSpec): Json {
  const element: Schema = { type: jsonKinds[dtypes[type].kind].type, ...bounds(type) };
  return dims.reduceRight<Schema>((items, dim) => ({ type: 'array', ...sizes(dim), items }), element);
}

/** A symbolic dimension may have any size. JSON cannot show the shape of no element. */
function sizes(dim: number | string): Schema {
  return typeof dim === 'number' ? { minItems: dim, maxItems: dim } : { minItems: 1 };
}

/** Values that fit, where a double holds the bounds. */
function bounds(type: Dtype): Schema {
  const row = dtypes[type];
  if (row.kind === 'integer') return { minimum: row.least, maximum: row.most };
  const most = largest[type];
  return most === undefined ? {} : { minimum: -most, maximum: most };
}

/** The largest finite number of a dtype that has less than doubles have. */
const largest: Partial<Record<Dtype, number>> = { float16: 65_504, float32: 2 ** 128 - 2 ** 104 };

function labelled(labels: ClassLabels): Schema {
  return {
    description: 'The last axis has the class labels of x-class-labels, in their order.',
    'x-class-labels': labels,
  };
}

function tensorExample({ type, dims }: TensorSpec): Json {
  return dims.reduceRight<Json>((element, dim) => Array.from({ length: size(dim) }, () => element), jsonKinds[dtypes[type].kind].zero);
}

function elements({ dims }: TensorSpec): number {
  return dims.reduce<number>((product, dim) => product * size(dim), 1);
}

/** Size of a dimension in examples; 1 if it is symbolic. */
function size(dim: number | string): number {
  return typeof dim === 'number' ? dim : 1;
}
