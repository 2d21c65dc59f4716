/**
 * The no-code script: serves one ONNX model as it is. Used when no entry script is given, and an example of one.
 *
 * Body of POST /score                                    Answer
 * {"inputs": {"X": [[...]], ...}}                        {"outputs": {"variable": [[...]], ...}}
 * {"inputs": [{name, shape, datatype, data}, ...]}       {"model_name", "outputs": [{name, datatype, shape, data}, ...]}
 * {"input_data": {"columns", "data"}}, {"input_data"}    one prediction a row
 * {"data": [[...]]}                                      one prediction a row
 *
 * `outputs: ["name", ...]` beside any of them, or in `parameters`, selects outputs. Further keys are ignored.
 */

import {
  type InitContext,
  type Model,
  type RequestContext,
  ScoringError,
  type Tensor,
  type TensorData,
  type TensorInput,
  type TensorSpec,
} from 'scoring-server';
import { excerpt } from '../server/guards/excerpt.ts';
import { float16Numbers } from '../server/tensors/float16.ts';
import { JsonNumbers } from '../server/tensors/json-numbers.ts';
import { oipDatatypes } from '../server/tensors/oip-datatypes.ts';
import { shownDims } from '../server/tensors/tensor-shape.ts';

/** Numbers arrive as tensors, read from the bytes of the body. */
export const inputType = 'tensors';

/** Whole numbers beyond 2^53 arrive as bigint: 64-bit inputs lose no digits. */
export const exactIntegers = true;

let model: Model;

export async function init(context: InitContext): Promise<void> {
  model = await context.openModel();
}

export function run(data: unknown, request: RequestContext): Promise<unknown> {
  // The Open Inference routes have read the tensors already, and write the answer.
  return request.protocol === 'score' ? answer(model, data) : model.run(data as Record<string, Tensor>, request.outputs);
}

/**
 * Reads one body, runs the model and answers in the same form.
 * @throws ScoringError 400 when the body has none of the forms; what `model.run` throws when an input does not fit
 */
export async function answer(target: Model, body: unknown): Promise<unknown> {
  if (!isRecord(body)) throw unknownForm(target, 'the body is no JSON object');
  const wanted = readOutputs(target, body);
  if (Array.isArray(body.inputs)) return oipAnswer(target, body.id, await target.run(readOip(target, body.inputs), wanted), wanted);
  if (isRecord(body.inputs)) return { outputs: await target.run(body.inputs as Record<string, TensorInput>, wanted) };
  if ('inputs' in body) throw unknownForm(target, '"inputs" is neither an object nor an array');
  if ('input_data' in body) return perRow(await target.run(readInputData(target, body.input_data), wanted));
  if ('data' in body) return perRow(await target.run(onlyInput(target, body.data), wanted));
  throw unknownForm(target, 'the body has none of the keys "inputs", "input_data" and "data"');
}

/** Names of the wanted outputs; undefined: all. */
function readOutputs(target: Model, body: Record<string, unknown>): string[] | undefined {
  const outputs = body.outputs ?? (isRecord(body.parameters) ? body.parameters.outputs : undefined);
  if (outputs === undefined || outputs === null) return undefined;
  if (!Array.isArray(outputs)) throw unknownForm(target, '"outputs" is no array of names');
  if (outputs.length === 0) return undefined;
  const names = new Set<string>();
  for (const output of outputs as unknown[]) {
    const name = isRecord(output) ? output.name : output;
    if (typeof name !== 'string') throw unknownForm(target, 'an item of "outputs" is neither a name nor {"name": ...}');
    // Each mention would be answered in full.
    if (names.has(name)) throw new ScoringError(400, `output ${excerpt(name)}: expected each name once, got it twice.`);
    names.add(name);
  }
  return Array.from(names);
}

/** Inputs of the Open Inference Protocol. Data may be flat or nested; datatype and shape must be the model's. */
function readOip(target: Model, inputs: readonly unknown[]): Record<string, TensorInput> {
  const tensors = new Map<string, Tensor>();
  for (const [index, input] of inputs.entries()) {
    if (!isRecord(input) || typeof input.name !== 'string')
      throw new ScoringError(400, `inputs[${index}]: expected an object with a "name".`);
    const { name, shape, datatype, data } = input;
    const spec = target.inputs.find((each) => each.name === name);
    if (spec === undefined || tensors.has(name))
      throw new ScoringError(
        400,
        `inputs[${index}]: the model ${target.name} has no ${spec ? 'second ' : ''}input ${excerpt(name)}; it takes ${inputList(target)}.`,
      );
    if (datatype !== oipDatatypes[spec.type])
      throw new ScoringError(
        400,
        `input ${name}: expected the datatype ${oipDatatypes[spec.type]}, got ${typeof datatype === 'string' ? `"${excerpt(datatype)}"` : datatype === undefined ? 'none' : 'something else'}.`,
      );
    const dims = shape instanceof JsonNumbers ? Array.from(shape.data) : shape;
    const flat = data instanceof JsonNumbers ? flatData(name, data, dims) : data;
    if (!Array.isArray(dims) || flat === undefined || typeof flat !== 'object')
      throw new ScoringError(400, `input ${name}: expected the arrays "shape" and "data" (binary tensor data is not taken here).`);
    tensors.set(name, { type: spec.type, dims: dims as number[], data: flat as TensorData });
  }
  return Object.fromEntries(tensors);
}

/** Data may be flat, or nested as the shape says. */
function flatData(name: string, { dims, data }: JsonNumbers, shape: unknown): Float64Array {
  const fits = Array.isArray(shape) && shape.length === dims.length && dims.every((dim, axis) => dim === shape[axis]);
  if (dims.length > 1 && !fits)
    throw new ScoringError(
      400,
      `input ${name}: expected data nested as the shape ${Array.isArray(shape) ? shownDims(shape) : ''} says, or flat; got [${dims.join(',')}].`,
    );
  return data;
}

function oipAnswer(target: Model, id: unknown, outputs: Record<string, Tensor>, wanted = target.outputs.map(({ name }) => name)): unknown {
  return {
    model_name: target.name,
    ...(typeof id === 'string' && { id }),
    outputs: wanted.flatMap((name) => {
      const output = outputs[name];
      return output === undefined ? [] : { name, datatype: oipDatatypes[output.type], shape: output.dims, data: oipData(output) };
    }),
  };
}

/** Flat data whose JSON form needs no dtype beside it. */
function oipData({ type, data }: Tensor): unknown {
  if (type === 'bool') return Array.from(data as Uint8Array, Boolean);
  return type === 'float16' ? float16Numbers(data as Uint16Array) : data;
}

/** The form of pandas and MLflow: rows of one input, or a column for each input. */
function readInputData(target: Model, inputData: unknown): Record<string, TensorInput> {
  if (!isRecord(inputData)) return onlyInput(target, inputData);
  const { columns, data } = inputData;
  if (!Array.isArray(data) && !(data instanceof JsonNumbers)) throw unknownForm(target, '"input_data" has no array "data"');
  if (columns === undefined) return onlyInput(target, data);
  if (!Array.isArray(columns)) throw unknownForm(target, '"columns" of "input_data" is no array of names');
  const feedsByName = target.inputs.length === columns.length && target.inputs.every(({ name }) => columns.includes(name));
  if (data instanceof JsonNumbers && data.dims[1] === columns.length && !feedsByName) return onlyInput(target, data);
  const rows = data instanceof JsonNumbers ? nestedRows(data) : data;
  const wrong = rows.findIndex((row) => !Array.isArray(row) || row.length !== columns.length);
  if (wrong >= 0) throw new ScoringError(400, `input_data.data[${wrong}]: expected an array of ${columns.length} values, one a column.`);
  return feedsByName ? byColumn(target.inputs, columns, rows as TensorInput[][]) : onlyInput(target, rows);
}

/** The rows of a table of numbers. */
function nestedRows({ dims, data }: JsonNumbers): unknown[] {
  const [count = 0, width = 1] = dims;
  return dims.length === 2
    ? Array.from({ length: count }, (_, row) => Array.from(data.subarray(row * width, (row + 1) * width)))
    : Array.from(data);
}

/** Each column feeds the input of its name: as [N,1], [N], or one value. */
function byColumn(inputs: readonly TensorSpec[], columns: readonly unknown[], rows: readonly TensorInput[][]): Record<string, TensorInput> {
  return Object.fromEntries(
    inputs.map(({ name, dims }) => {
      const column = rows.map((row) => row[columns.indexOf(name)]);
      if (dims.length === 0 && column.length === 1) return [name, column[0] as TensorInput];
      return [name, (dims.length === 2 ? column.map((value) => [value]) : column) as TensorInput];
    }),
  );
}

function onlyInput(target: Model, value: unknown): Record<string, TensorInput> {
  const [input, ...others] = target.inputs;
  if (input === undefined || others.length > 0)
    throw unknownForm(target, 'rows without names are for models with one input, or with one input a column of that name');
  return Object.fromEntries([[input.name, value as TensorInput]]);
}

/** One prediction a row: a single output [N,1] or [N] as a flat list; several outputs by name. */
function perRow(outputs: Record<string, Tensor>): Tensor | Record<string, Tensor> {
  const [output, ...others] = Object.values(outputs);
  if (output === undefined || others.length > 0) return outputs;
  const [rows, columns] = output.dims;
  const flat = rows !== undefined && columns === 1 && output.dims.length === 2;
  return flat ? { type: output.type, dims: [rows], data: output.data } : output;
}

function unknownForm(target: Model, problem: string): ScoringError {
  return new ScoringError(
    400,
    `Cannot read the input: ${problem}. Accepted: {"inputs": {"<name>": [...]}}, {"inputs": [{"name", "shape", "datatype", "data"}]}, ` +
      `{"input_data": {"columns": [...], "data": [[...]]}}, {"input_data": [[...]]}, {"data": [[...]]}. ` +
      `The model ${target.name} takes ${inputList(target)}.`,
  );
}

function inputList({ inputs }: Model): string {
  const texts = inputs.map(({ name, type, dims }) => `${name} (${type} [${dims.map((dim) => (dim === '' ? '?' : dim)).join(',')}])`);
  return texts.length === 0 ? 'no inputs' : texts.join(', ');
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof JsonNumbers);
}
