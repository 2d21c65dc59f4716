import type { TensorSpec } from '../entry-script.ts';
import type { Served } from '../scoring/scorer-types.ts';
import { type DtypeRow, dtypes } from '../tensors/dtypes.ts';
import type { Json, Schema } from './swagger-document.ts';

/** Schemas of the service's input and output. */
export interface ServiceSchemas {
  readonly input: Schema;
  readonly output: Schema;
}

/** Schema of a service that declares nothing. */
const UNDECLARED: Schema = { type: 'object', example: {} };

/** Elements of the largest example: a larger one would be most of the document. */
const LONGEST_EXAMPLE = 1000;

/** The schemas of a model without code come from the model. Entry scripts declare nothing. */
export function serviceSchemas(served: Served | undefined): ServiceSchemas {
  const [model] = served?.models ?? [];
  if (served?.noCode !== true || model === undefined) return { input: UNDECLARED, output: UNDECLARED };
  return { input: tensorsSchema('inputs', model.inputs), output: tensorsSchema('outputs', model.outputs) };
}

/** `{ [member]: { <tensor name>: nested arrays } }`. */
function tensorsSchema(member: 'inputs' | 'outputs', tensors: readonly TensorSpec[]): Schema {
  const properties = Object.fromEntries(tensors.map((tensor) => [tensor.name, tensorSchema(tensor)]));
  const examples: Schema = Object.fromEntries(
    tensors.filter((tensor) => elements(tensor) <= LONGEST_EXAMPLE).map((tensor) => [tensor.name, tensorExample(tensor)]),
  );
  return {
    type: 'object',
    properties: { [member]: { type: 'object', properties } },
    example: { [member]: examples },
  };
}

/** JSON Schema type and example of an element, by the kind of its dtype. */
const jsonKinds: Readonly<Record<DtypeRow['kind'], { readonly type: string; readonly zero: Json }>> = {
  float: { type: 'number', zero: 0 },
  integer: { type: 'integer', zero: 0 },
  bigint: { type: 'integer', zero: 0 },
  boolean: { type: 'boolean', zero: false },
  string: { type: 'string', zero: '' },
};

function tensorSchema({ type, dims }: TensorSpec): Json {
  return dims.reduce<Json>((items) => ({ type: 'array', items }), { type: jsonKinds[dtypes[type].kind].type });
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
