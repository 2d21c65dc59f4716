import assert from 'node:assert/strict';
import type { Tensor as RuntimeTensor } from 'onnxruntime-node';
import { attribute, model, node, tensor, value } from '../../../models/onnx.ts';
import { randomNumbers } from '../../../models/graph-builder.ts';
import { fixed, follow, known, rows, scalar } from './follow-operator.ts';
import type { Tracked } from '../../../../server/inference/rows/value.ts';

process.env.ORT_DISABLE_TELEMETRY = '1';
const { InferenceSession, Tensor } = await import('onnxruntime-node');

type Entry = number | string;
type Type = 'float32' | 'int64' | 'int32' | 'int8' | 'uint8' | 'bool' | 'string';
interface Filled {
  readonly type: Type;
  readonly dims: readonly number[];
  readonly data: readonly Entry[];
}
/** An input with one row for each 'N', an initializer, or none. */
type Input = { readonly type: Type; readonly dims: readonly (number | 'N')[] } | Filled | undefined;

/** One node. Outputs have a type each. */
interface Step {
  readonly operator: string;
  readonly attributes?: Readonly<Record<string, number | string | readonly number[] | readonly string[]>>;
  readonly domain?: string;
  readonly version?: number;
  readonly outputs?: readonly Type[];
}

const FLOATS = new Set(
  'alpha scale offset imputed_value_floats replaced_value_float coefficients intercepts support_vectors rho kernel_params prob_a prob_b'.split(
    ' ',
  ),
);
const ROWS = 3;

const isFilled = (input: Input): input is Filled => input !== undefined && 'data' in input;
const product = (dims: readonly number[]): number => dims.reduce((size, dim) => size * dim, 1);

/**
 * Runs one operator in ONNX Runtime on rows alone and together. Sizes must be those of the rule,
 * and each row must be the same as alone.
 */
export async function agrees(step: Step, inputs: readonly Input[]): Promise<void> {
  const { operator, attributes = {}, domain = '', version = 21, outputs = ['float32'] } = step;
  const texts = [follow(operator, inputs.map(tracked), attributes, { domain, version, outputs: outputs.length })].flat();
  const session = await InferenceSession.create(modelOf(step, inputs), { logSeverityLevel: 4 });
  const random = randomNumbers(1);
  const single = Array.from({ length: ROWS }, () => feedsOf(inputs, random));
  const together = await session.run(joined(inputs, single));
  for (const [row, feeds] of single.entries()) {
    const alone = await session.run(runtimeTensors(feeds));
    for (const [index, text] of texts.entries()) {
      const [one, all] = [alone[`y${index}`]!, together[`y${index}`]!];
      const [, kind, axis = '', sizes = ''] = /^(rows@(\d+)|constant) \[(.*)\]/.exec(text) ?? assert.fail(`${operator} is ${text}`);
      const expected = (count: number): number[] =>
        (sizes === '' ? [] : sizes.split(', ')).map((size) => (size === 'rows' ? count : Number(size)));
      assert.deepEqual(one.dims, expected(1), operator);
      assert.deepEqual(all.dims, expected(ROWS), operator);
      assert.deepEqual(kind === 'constant' ? [...all.data] : rowOf(all, Number(axis), row), [...one.data], operator);
    }
  }
}

/** An input as the rule sees it: entries of an initializer of int64 are known. */
function tracked(input: Input): Tracked | undefined {
  if (input === undefined) return undefined;
  if (!isFilled(input)) return rows(...input.dims);
  if (input.type === 'string' || input.dims.length > 1) return fixed(...input.dims);
  const entries = input.data.map(Number);
  return input.dims.length === 0 ? scalar(entries[0]!) : known(...entries);
}

function modelOf({ operator, attributes = {}, domain = '', version = 21, outputs = ['float32'] }: Step, inputs: readonly Input[]): Buffer {
  const names = inputs.map((input, index) => (input === undefined ? '' : `x${index}`));
  const results = outputs.map((_, index) => `y${index}`);
  const encoded = Object.entries(attributes).map(([name, given]) => {
    if (typeof given === 'number') return FLOATS.has(name) ? attribute.float(name, given) : attribute.int(name, given);
    if (typeof given === 'string') return attribute.string(name, given);
    if (given.every((entry) => typeof entry === 'string')) return attribute.strings(name, given);
    const numbers = given.map(Number);
    return FLOATS.has(name) || name.endsWith('_weights') || name.endsWith('_values')
      ? attribute.floats(name, numbers)
      : attribute.ints(name, numbers);
  });
  const content = {
    name: operator,
    nodes: [node(operator, names, results, encoded, domain)],
    initializers: inputs.flatMap((input, index) => (isFilled(input) ? [tensor(`x${index}`, input.type, input.dims, bytesOf(input))] : [])),
    inputs: inputs.flatMap((input, index) => (input === undefined || isFilled(input) ? [] : [value(`x${index}`, input.type, input.dims)])),
    outputs: outputs.map((type, index) => value(`y${index}`, type)),
  };
  return model(content, domain === '' ? { ir: 8, opset: version } : { ir: 8, opset: 21, opsets: { [domain]: version } });
}

function bytesOf({ type, data }: Filled): ArrayBufferView | readonly string[] {
  if (type === 'string') return data.map(String);
  if (type === 'int64') return BigInt64Array.from(data, BigInt);
  const numbers = data.map(Number);
  if (type === 'float32') return new Float32Array(numbers);
  const wholes = { int32: Int32Array, int8: Int8Array, uint8: Uint8Array, bool: Uint8Array }[type];
  return new wholes(numbers);
}

/** One row: small whole numbers, so that all sums are exact, and short words. */
function feedsOf(inputs: readonly Input[], random: () => number): (Filled | undefined)[] {
  return inputs.map((input) => {
    if (input === undefined || isFilled(input)) return undefined;
    const { type } = input;
    const dims = input.dims.map((dim) => (dim === 'N' ? 1 : dim));
    const data = Array.from({ length: product(dims) }, () => Math.floor(random() * (type === 'bool' ? 2 : 3)));
    return { type, dims, data: type === 'string' ? data.map((entry) => 'abc'.charAt(entry)) : data };
  });
}

/** Rows of several feeds along the axis 'N'. */
function joined(inputs: readonly Input[], single: readonly (readonly (Filled | undefined)[])[]): Record<string, RuntimeTensor> {
  const merged = inputs.map((input, index): Filled | undefined => {
    if (input === undefined || isFilled(input)) return undefined;
    const axis = input.dims.indexOf('N');
    const behind = product(input.dims.slice(axis + 1).map(Number));
    const parts = single.map((feeds) => feeds[index]!.data);
    const ahead = parts[0]!.length / behind;
    const data = Array.from({ length: ahead }, (_, at) => parts.flatMap((part) => part.slice(at * behind, (at + 1) * behind))).flat();
    return { type: input.type, dims: input.dims.map((dim) => (dim === 'N' ? single.length : dim)), data };
  });
  return runtimeTensors(merged);
}

function runtimeTensors(feeds: readonly (Filled | undefined)[]): Record<string, RuntimeTensor> {
  return Object.fromEntries(
    feeds.flatMap((feed, index) => {
      if (feed === undefined) return [];
      const data = bytesOf(feed);
      return [[`x${index}`, new Tensor(feed.type, data as never, [...feed.dims])]];
    }),
  );
}

/** Entries of one row. */
function rowOf({ dims, data }: RuntimeTensor, axis: number, row: number): unknown[] {
  const behind = product(dims.slice(axis + 1));
  return [...data].filter((_, at) => Math.floor(at / behind) % ROWS === row);
}
