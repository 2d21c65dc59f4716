import { stringify } from '../guards/built-ins.ts';
import type { Tensors } from '../inference/batcher.ts';
import { exampleBody, type InputSizes } from '../ipc/worker-messages.ts';
import { type Dtype, dtypes } from '../tensors/dtypes.ts';
import { sizeOf } from '../tensors/tensor-shape.ts';
import { valuesOf } from '../tensors/tensor.ts';
import type { Tensor } from '../entry-script.ts';
import { encodeJson } from './codecs/encode-result.ts';
import { plainLength } from './codecs/plain-length.ts';
import type { LoadedScript } from './script/load-entry-script.ts';

/** Longest example, in characters. */
const LONGEST = 8192;

/** Body of a request that a model without code takes: the inputs that it took at the warm-up. */
export function exampleOfModel(inputs: Tensors | undefined): string | undefined {
  if (inputs === undefined) return undefined;
  const shown = Object.fromEntries(Object.entries(inputs).map(([name, tensor]) => [name, withShortNumbers(tensor)]));
  return printable(() => encodeJson({ inputs: shown }, 'string', LONGEST));
}

/** Most elements of an example of zeros, which is part of a document. */
const MOST_ZEROS = 500_000;

/**
 * Sizes of inputs that the model takes as zeros, where the inputs of the warm-up are no example
 * because they are too long. It is tried, because a model may refuse zeros.
 */
export async function zerosOfModel(
  run: (inputs: Readonly<Record<string, Tensor>>) => Promise<unknown>,
  taken: Tensors,
): Promise<readonly InputSizes[] | undefined> {
  const sizes = Object.entries(taken).map(([name, { dims }]) => ({ name, dims: [...dims] }));
  if (sizes.reduce((sum, { dims }) => sum + sizeOf(dims), 0) > MOST_ZEROS) return undefined;
  const zeros = Object.fromEntries(Object.entries(taken).map(([name, { type, dims }]) => [name, zeroTensor(type, dims)]));
  return run(zeros).then(
    () => sizes,
    () => undefined,
  );
}

function zeroTensor(type: Dtype, dims: readonly number[]): Tensor {
  const { array: Elements } = dtypes[type];
  const length = sizeOf(dims);
  return { type, dims, data: Elements === undefined ? Array.from({ length }, () => '') : new Elements(length) };
}

/** Numbers as they were made up, which a float32 holds only with more digits. */
function withShortNumbers(tensor: Tensor): Tensor {
  if (dtypes[tensor.type].kind !== 'float') return tensor;
  const values: ArrayLike<unknown> = valuesOf(tensor);
  const numbers = Float64Array.from(values, (value) => Number(Number(value).toFixed(3)));
  return { type: 'float64', dims: tensor.dims, data: numbers };
}

type Scored = Pick<LoadedScript, 'sample' | 'inputType' | 'rawHttp' | 'exactIntegers'>;

/** Body of a request that gives `run()` the sample of the script; undefined if there is none. */
export function exampleOfScript({ sample, inputType, rawHttp, exactIntegers }: Scored): string | undefined {
  if (sample === undefined || rawHttp || inputType === 'bytes') return undefined;
  return printable(() => {
    if (inputType === 'text') return typeof sample === 'string' ? sample : undefined;
    if (plainLength(sample, 0, LONGEST) > 0) return stringify(sample);
    // Only with these exports are tensors and bigints what a client's JSON becomes.
    return inputType === 'tensors' || exactIntegers ? encodeJson(sample, 'string', LONGEST) : undefined;
  });
}

/** Undefined for what is too long, no JSON, or not one line. */
function printable(write: () => string | undefined): string | undefined {
  try {
    const text = write();
    return exampleBody(text) ? text : undefined;
  } catch {
    return undefined;
  }
}
