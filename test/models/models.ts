/**
 * The project's own models: a few kilobytes each but for the two for the bench, the same bytes on
 * every machine, nothing to download.
 */

import { writeFileSync } from 'node:fs';
import path from 'node:path';
import * as deep from './deep-models.ts';
import * as numeric from './numeric-models.ts';
import * as odd from './odd-models.ts';
import * as small from './small-models.ts';

const models = {
  diabetes: numeric.diabetes,
  ridge: numeric.ridge,
  mlp: numeric.mlp,
  cnn: numeric.cnn,
  gbdt: numeric.gbdt,
  resnet50: deep.resnet50,
  minilm: deep.minilm,
  busy: numeric.busy,
  alloc: numeric.alloc,
  echo_float32: () => small.echo('float32'),
  echo_float64: () => small.echo('float64'),
  echo_float16: () => small.echo('float16'),
  echo_int32: () => small.echo('int32'),
  echo_int64: () => small.echo('int64'),
  echo_uint8: () => small.echo('uint8'),
  echo_bool: () => small.echo('bool'),
  echo_string: () => small.echo('string'),
  fixed1: small.fixed1,
  multi: small.multi,
  batchmean: small.batchmean,
  batchtrunc: small.batchtrunc,
  columns: small.columns,
  frame: small.frame,
  shared_size: small.sharedSize,
  ranks: small.ranks,
  strange_names: small.strangeNames,
  zipmap: odd.zipMap,
  zipmap_external: odd.zipMapExternal,
  external: odd.external,
  sequence_output: odd.sequenceOutput,
  only_sequence_output: odd.onlySequenceOutput,
  split_sequence: odd.splitSequence,
  only_split_sequence: odd.onlySplitSequence,
  sequence_input: odd.sequenceInput,
  int4_output: () => odd.castTo('int4'),
  uint4_output: () => odd.castTo('uint4'),
  bfloat16_output: () => odd.castTo('bfloat16'),
  float8_output: () => odd.castTo('float8e4m3fn'),
  int4_input: () => odd.castFrom('int4'),
  unknown_operator: odd.unknownOperator,
  future_opset: odd.futureOpset,
  overridable: odd.overridable,
  proto_output: odd.protoOutput,
  constant_of_shape: odd.constantOfShape,
} satisfies Record<string, () => Buffer>;

export type ModelName = keyof typeof models;

/** The bytes of a model. */
export const modelBytes = (name: ModelName): Buffer => models[name]();

/** Writes a model as `<name>.onnx` into a folder that exists; answers the path. */
export function writeModel(name: ModelName, directory: string): string {
  const file = path.join(directory, `${name}.onnx`);
  writeFileSync(file, modelBytes(name));
  return file;
}
