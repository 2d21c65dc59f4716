import type { Tensors } from '../../../server/inference/batcher.ts';
import { elementTypes } from '../../../server/tensors/elements.ts';
import { isDtype } from '../../../server/tensors/dtypes.ts';
import { sizeOf } from '../../../server/tensors/tensor-shape.ts';
import { dataOf } from '../../../server/tensors/tensor.ts';
import { randomNumbers } from '../graph-builder.ts';
import type { Versions } from '../onnx.ts';
import { type Port, readInputs, readModel } from '../onnx-text.ts';

type Element = number | string | boolean;
/** The flat values of one row: of the only input, or by input. */
export type Row = readonly Element[] | Readonly<Record<string, readonly Element[]>>;

/** A small model for the question whether the rows of a batch meet. */
export interface RowModel {
  readonly name: string;
  /** How its rows meet, or why they do not. */
  readonly how: string;
  /** The graph, as `onnx-text.ts` reads it. */
  readonly text: string;
  readonly versions: Versions;
  /** Rows that show it. Without them three rows of made-up values do. */
  readonly rows?: readonly Row[];
  /** Why ONNX Runtime cannot run it on a CPU. */
  readonly neverRuns?: string;
}

interface Options extends Versions, Pick<RowModel, 'rows' | 'neverRuns'> {}

/** A model of the operator set 17 and of all further domains, unless told otherwise. */
export function rowModel(name: string, how: string, text: string, { rows, neverRuns, ...versions }: Options = {}): RowModel {
  const opset = versions.opset ?? 17;
  const opsets = { 'ai.onnx.ml': 3, 'com.microsoft': 1, local: 1 };
  return {
    name,
    how,
    text,
    versions: { ir: opset > 20 ? 10 : 8, opset, opsets, ...versions },
    ...(rows && { rows }),
    ...(neverRuns !== undefined && { neverRuns }),
  };
}

/** The bytes of its .onnx file. */
export const bytesOf = ({ name, text, versions }: RowModel): Buffer => {
  try {
    return readModel(text, versions);
  } catch (error) {
    throw new Error(`expected a model in the text of ${name}`, { cause: error });
  }
};

/** One feed a row. Each has one row in every input. */
export function feedsOf({ name, text, rows }: RowModel): Tensors[] {
  const ports = readInputs(text);
  if (rows === undefined) return [1, 2, 3].map((seed) => randomFeed(ports, seed));
  return rows.map((row) =>
    Object.fromEntries(
      ports.map((port) => {
        const values = Array.isArray(row) ? row : (row as Readonly<Record<string, readonly Element[]>>)[port.name];
        if (values === undefined) throw new Error(`expected values of ${port.name} in each row of ${name}`);
        return [port.name, tensorOf(port, values)];
      }),
    ),
  );
}

/** Made-up values by type: floats within ±3 times the scale, integers from 0 to 2, words. */
export function randomFeed(ports: readonly Port[], seed: number, scale = 1): Tensors {
  const random = randomNumbers(seed);
  const value = (type: Port['type']): Element => {
    if (type === 'string') return ['red', 'green', 'blue', ''][Math.floor(random() * 4)]!;
    if (type === 'bool') return random() < 0.5;
    return type.startsWith('float') ? (random() * 6 - 3) * scale : Math.floor(random() * 3);
  };
  return Object.fromEntries(
    ports.map((port) => [
      port.name,
      tensorOf(
        port,
        Array.from({ length: sizeOf(sizesOf(port)) }, () => value(port.type)),
      ),
    ]),
  );
}

/** Sizes of a row. A symbolic size other than the first is 3. */
const sizesOf = ({ dims }: Port): number[] => dims.map((dim, axis) => (typeof dim === 'number' ? dim : axis === 0 ? 1 : 3));

function tensorOf(port: Port, values: readonly Element[]): Tensors[string] {
  const { type, dims } = port;
  if (!isDtype(type)) throw new Error(`expected an input of a served type, got ${type}`);
  const sizes = dims.filter((dim) => typeof dim === 'number').length === dims.length - 1 ? sizesOf(port) : openSizes(port, values.length);
  if (sizeOf(sizes) !== values.length) throw new Error(`expected ${sizes.join('x')} values of ${port.name}, got ${values.length}`);
  const data = elementTypes[type].allocate(values.length);
  const wrong = elementTypes[type].write(
    data,
    0,
    values.map((value) => (Number.isFinite(value) || typeof value !== 'number' ? value : String(value))),
  );
  if (wrong >= 0) throw new Error(`expected ${elementTypes[type].expected} in ${port.name}, got ${String(values[wrong])}`);
  return { type, dims: sizes, data: dataOf(data) };
}

/** Sizes where the last symbolic one follows from the number of values. */
function openSizes(port: Port, length: number): number[] {
  const sizes = sizesOf(port);
  const open = port.dims.findLastIndex((dim) => typeof dim === 'string');
  if (open > 0) sizes[open] = length / (sizeOf(sizes) / sizes[open]!);
  return sizes;
}
