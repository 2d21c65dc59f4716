/**
 * The no-code script: serves one ONNX model as it is, if no entry script is given. It is also an
 * example of an entry script.
 *
 * Body of POST /score                                    Answer
 * {"inputs": {"X": [[...]], ...}}                        {"outputs": {"variable": [[...]], ...}}
 * {"inputs": [{name, shape, datatype, data}, ...]}       {"model_name", "outputs": [{name, ...}, ...]}
 * {"input_data": {"columns", "index", "data"}}           one prediction a row
 * {"input_data": [{"column": value, ...}, ...]}          one prediction a row
 * {"data": [[...]]}                                      one prediction a row; also a table as above
 * {"instances": [[...], ...]}                            {"predictions": [...]}, one a row
 * {"instances": [{"X": [...], ...}, ...]}                {"predictions": [...]}, one a row
 * {"inputs": [[...], ...]}                               {"predictions": [...]}, one a row
 * Such a table alone, as DataFrame.to_json() writes it   one prediction a row
 *
 * `outputs: ["name", ...]` beside any of them, or in `parameters`, selects outputs.
 * `parameters: {"class_labels": true}` asks for the class labels of scores. Further keys are
 * ignored.
 */

import { Answer, type InitContext, type Model, type RequestContext, ScoringError, type Tensor, type TensorInput } from 'scoring-server';
// The server's own readers and writers of tensors, the only internals used here.
import { byClassLabel, labelParameters } from '../server/tensors/class-labels.ts';
import { misfit, show } from '../server/tensors/infer-request.ts';
import { isNumbers, isRecord, outputData, outputHead, outputNames, readInputs } from '../server/tensors/open-inference-json.ts';
import { readInstances } from '../server/tensors/instances.ts';
import { perRow as rowsOfColumns } from '../server/tensors/predictions.ts';
import { feedTable, readTable } from '../server/tensors/table.ts';
import { isTensor } from '../server/tensors/tensor.ts';

/** Numbers arrive as tensors, read from the bytes of the body. */
export const inputType = 'tensors';

/** Whole numbers beyond 2^53 arrive as bigint: 64-bit inputs lose no digits. */
export const exactIntegers = true;

let model: Model;

export async function init(context: InitContext): Promise<void> {
  model = await context.openModel();
}

export async function run(data: unknown, request: RequestContext): Promise<unknown> {
  if (request.protocol === 'score') return answer(model, data);
  if (request.protocol === 'instances') return predict(model, data, undefined, wantsLabels(request.parameters.request));
  if (request.protocol === 'invocations') return answerRows(model, data);
  // The Open Inference routes read the tensors before this call, and write the answer after it.
  const labels = wantsLabels(request.parameters.request);
  const outputs = await model.run(asInputs(data), request.outputs);
  return labels ? new Answer(outputs, { outputParameters: labelParameters(model, outputs) }) : outputs;
}

/**
 * Reads one body, runs the model and answers in the same form.
 * @throws ScoringError 400 if the body has none of the forms; the error of `model.run` if an input
 * does not fit
 */
export async function answer(target: Model, body: unknown): Promise<unknown> {
  if (Array.isArray(body) && isRecord(body[0])) return perRow(await target.run(readRows(target, 'the body', body)));
  if (!isRecord(body)) throw unknownForm(target, 'the body is no JSON object');
  const wanted = readOutputs(target, body);
  const labels = isRecord(body.parameters) && wantsLabels(body.parameters);
  if ('instances' in body) return predict(target, body.instances, wanted, labels);
  if (isNumbers(body.inputs) || (target.inputs.length === 1 && isListOfValues(body.inputs)))
    return predict(target, body.inputs, wanted, labels);
  if (Array.isArray(body.inputs)) return oipAnswer(target, body.id, await target.run(readInputs(body.inputs), wanted), wanted, labels);
  if (isRecord(body.inputs)) {
    const outputs = await target.run(asInputs(body.inputs), wanted);
    return { outputs: labels ? byClassLabel(target, outputs) : outputs };
  }
  if ('inputs' in body) throw unknownForm(target, '"inputs" is neither an object nor an array');
  const rows = (outputs: Record<string, Tensor>): unknown => (labels ? perLabelledRow(target, outputs) : perRow(outputs));
  if ('input_data' in body) return rows(await target.run(readRows(target, 'input_data', body.input_data), wanted));
  if ('data' in body) {
    const isTable = Array.isArray(body.columns) || isNumbers(body.columns);
    return rows(await target.run(isTable ? readRows(target, 'the body', body) : readRows(target, 'data', body.data), wanted));
  }
  throw unknownForm(target, 'the body has none of the keys "inputs", "instances", "input_data" and "data"');
}

/**
 * Runs the model on instances: one prediction for each. Inputs by name, as arrays of all rows, are
 * instances, too.
 */
async function predict(target: Model, instances: unknown, wanted: string[] | undefined, labels: boolean): Promise<object> {
  if (isRecord(instances)) return predictions(target, await target.run(asInputs(instances), wanted), labels);
  if (!Array.isArray(instances) && !isNumbers(instances)) throw unknownForm(target, '"instances" is no list');
  const inputs = readInstances('instances', instances, target.inputs) ?? onlyInput(target, instances);
  return predictions(target, await target.run(inputs, wanted), labels);
}

/** Several outputs become an object a row, where each has a row for each instance. */
function predictions(target: Model, outputs: Record<string, Tensor>, labels: boolean): object {
  const flat = Object.fromEntries(Object.entries(outputs).map(([name, output]) => [name, flatColumn(output)]));
  const named: Record<string, unknown> = labels ? { ...flat, ...labelled(target, outputs) } : flat;
  return { predictions: rowsOfColumns(named, undefined) };
}

/** The outputs that have class labels, by label. */
function labelled(target: Model, outputs: Record<string, Tensor>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(byClassLabel(target, outputs)).filter(([name, value]) => value !== outputs[name]));
}

/** True for a list of rows or values, which has no objects. */
function isListOfValues(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && value.length > 0 && !isRecord(value[0]);
}

/**
 * Reads a body of SageMaker: one of `answer`, or rows alone, as CSV, lines of JSON and arrays of
 * numpy have them. One prediction a row.
 * @throws as `answer`
 */
export async function answerRows(target: Model, body: unknown): Promise<unknown> {
  const isRows = isNumbers(body) || (Array.isArray(body) && !isRecord(body[0])) || (isRecord(body) && isTensor(body));
  return isRows ? perRow(await target.run(onlyInput(target, body))) : answer(target, body);
}

/** Names of the wanted outputs, or undefined for all. */
function readOutputs(target: Model, body: Record<string, unknown>): string[] | undefined {
  const outputs = body.outputs ?? (isRecord(body.parameters) ? body.parameters.outputs : undefined);
  if (outputs === undefined || outputs === null) return undefined;
  if (!Array.isArray(outputs)) throw unknownForm(target, '"outputs" is no array of names');
  return outputNames(
    outputs.map((output: unknown): string => {
      const name = isRecord(output) ? output.name : output;
      if (typeof name !== 'string') throw unknownForm(target, 'an item of "outputs" is neither a name nor {"name": ...}');
      return name;
    }),
  );
}

/** True if the client asks for class labels. @throws ServerError invalid_input */
function wantsLabels({ class_labels: wanted }: Readonly<Record<string, unknown>>): boolean {
  if (wanted === undefined || wanted === null || typeof wanted === 'boolean') return wanted === true;
  throw misfit('the parameter class_labels', 'true or false', show(wanted));
}

function oipAnswer(
  target: Model,
  id: unknown,
  outputs: Record<string, Tensor>,
  wanted = target.outputs.map(({ name }) => name),
  labels = false,
): unknown {
  const parameters = labels ? labelParameters(target, outputs) : {};
  return {
    model_name: target.name,
    ...(typeof id === 'string' && { id }),
    outputs: wanted.flatMap((name) => {
      const output = outputs[name];
      if (output === undefined) return [];
      const own = Object.hasOwn(parameters, name) && { parameters: parameters[name] };
      return { ...outputHead(name, output), ...own, data: outputData(output) };
    }),
  };
}

/** A table of pandas, with the names of its columns, or rows of the only input. */
function readRows(target: Model, key: 'input_data' | 'data' | 'the body', value: unknown): Record<string, TensorInput> {
  const table = readTable(key, value);
  if (table !== undefined) return feedTable(key, table, target.inputs);
  if (!isRecord(value)) return onlyInput(target, value);
  if (!Array.isArray(value.data) && !isNumbers(value.data)) throw unknownForm(target, `"${key}" has no array "data"`);
  return onlyInput(target, value.data);
}

function onlyInput(target: Model, value: unknown): Record<string, TensorInput> {
  const [input, ...others] = target.inputs;
  if (input === undefined || others.length > 0)
    throw unknownForm(
      target,
      'rows without names are for models with one input, or with one input a column of that name (CSV: header=present)',
    );
  return asInputs(Object.fromEntries([[input.name, value]]));
}

/** Inputs as a client sent them, by name. */
function asInputs(value: unknown): Record<string, TensorInput> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- model.run() checks every value
  return value as Record<string, TensorInput>;
}

/** One prediction a row: a single output [N,1] or [N] as a flat list; several outputs by name. */
function perRow(outputs: Record<string, Tensor>): Tensor | Record<string, Tensor> {
  const [output, ...others] = Object.values(outputs);
  return output === undefined || others.length > 0 ? outputs : flatColumn(output);
}

/** [N,1] as [N]. */
function flatColumn(output: Tensor): Tensor {
  const [rows, columns] = output.dims;
  const flat = rows !== undefined && columns === 1 && output.dims.length === 2;
  return flat ? { type: output.type, dims: [rows], data: output.data } : output;
}

/** As `perRow`, with an object by class label for each row of scores. */
function perLabelledRow(target: Model, outputs: Record<string, Tensor>): unknown {
  const named = byClassLabel(target, outputs);
  const [only, ...others] = Object.keys(named);
  if (only === undefined || others.length > 0) return named;
  return named[only] === outputs[only] ? perRow(outputs) : named[only];
}

function unknownForm(target: Model, problem: string): ScoringError {
  return new ScoringError(
    400,
    `Cannot read the input: ${problem}. Accepted: {"inputs": {"<name>": [...]}}, {"inputs": [{"name", "shape", "datatype", "data"}]}, ` +
      `{"input_data": {"columns": [...], "data": [[...]]}}, {"input_data": [{"<column>": ...}]}, {"input_data": [[...]]}, {"data": [[...]]}, {"instances": [...]}, {"inputs": [[...]]}. ` +
      `The model ${target.name} takes ${inputList(target)}.`,
  );
}

function inputList({ inputs }: Model): string {
  const texts = inputs.map(({ name, type, dims }) => `${name} (${type} [${dims.map((dim) => (dim === '' ? '?' : dim)).join(',')}])`);
  return texts.length === 0 ? 'no inputs' : texts.join(', ');
}
